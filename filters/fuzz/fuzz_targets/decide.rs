#![no_main]

use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};

fuzz_target!(|bytes: &[u8]| meshwright_policy_fuzz::decide(bytes, false));

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    meshwright_policy_fuzz::mutate(data, size, max_size, seed, fuzzer_mutate)
});
