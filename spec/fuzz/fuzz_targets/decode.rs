#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| meshwright_spec_fuzz::decode(bytes));
