//! libFuzzer's entry to the target `elasticsearch_client`; what it does and asserts stands in the library.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tracer_fuzz::run("elasticsearch_client", data));
