//! libFuzzer's entry to the target `mongodb_client`; what it does and asserts stands in the library.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tracer_fuzz::run("mongodb_client", data));
