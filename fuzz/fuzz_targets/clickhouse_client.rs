//! libFuzzer's entry to the target `clickhouse_client`; what it does and asserts stands in the library.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tracer_fuzz::run("clickhouse_client", data));
