//! Chance that is the same in every run.

use std::collections::VecDeque;

/// Where a module's random bytes come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Randomness {
    /// A pseudo-random sequence.
    Seeded(u64),
    /// The next of these numbers for each call, in little-endian bytes; zeros when they run out.
    Scripted(VecDeque<u64>),
}

impl Randomness {
    pub(crate) fn fill(&mut self, bytes: &mut [u8]) {
        match self {
            Randomness::Seeded(state) => {
                for chunk in bytes.chunks_mut(8) {
                    fill(chunk, split_mix(state));
                }
            }
            Randomness::Scripted(numbers) => {
                bytes.fill(0);
                fill(bytes, numbers.pop_front().unwrap_or_default());
            }
        }
    }
}

fn fill(bytes: &mut [u8], number: u64) {
    for (byte, random) in bytes.iter_mut().zip(number.to_le_bytes()) {
        *byte = random;
    }
}

/// SplitMix64 (Steele, Lea and Flood 2014).
fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
