#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| meshwright_control_plane_fuzz::stream(bytes));
