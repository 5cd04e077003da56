//! libFuzzer's entry to the target `mysql_server`; what it does and asserts stands in the library.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tracer_fuzz::run("mysql_server", data));
