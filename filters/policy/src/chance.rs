//! What happens to a share of requests: by chance, or as a hash of something in them decides.

use sha2::{Digest as _, Sha256};

/// Every one of them.
pub(crate) const MILLION: u32 = 1_000_000;

/// Whether something happens that has so many chances of a million; more is certainty. Draws only where chance decides.
/// The remainder favours no outcome by more than one part in ten million millions.
pub(crate) fn happens(per_million: u32, draw: impl FnOnce() -> u64) -> bool {
    match per_million {
        0 => false,
        MILLION.. => true,
        share => draw().checked_rem(u64::from(MILLION)).is_some_and(|drawn| drawn < u64::from(share)),
    }
}

/// A draw that equal values have in common, on every Envoy: uniformly distributed over values, and for other `seed`s or
/// another `what` (the thing decided) independently so. Never the same for different divisions of the same bytes.
pub(crate) fn fate(seed: &str, what: &str, value: &[u8]) -> u64 {
    let mut hash = Sha256::new();
    for part in [seed.as_bytes(), what.as_bytes()] {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
        hash.update(part);
    }
    hash.update(value);
    let digest: [u8; 32] = hash.finalize().into();
    let [a, b, c, d, e, f, g, h, ..] = digest;
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}

#[cfg(test)]
mod tests {
    use std::format;

    use super::{fate, happens};

    #[test]
    fn nothing_is_drawn_where_chance_decides_nothing() {
        assert!(!happens(0, || unreachable!()));
        assert!(happens(1_000_000, || unreachable!()));
        assert!(happens(u32::MAX, || unreachable!()));
    }

    #[test]
    fn the_share_is_exact_to_one_in_a_million() {
        assert!(happens(1, || 0));
        assert!(!happens(1, || 1));
        assert!(happens(999_999, || 999_998));
        assert!(!happens(999_999, || 999_999));
        assert!(happens(1, || 1_000_000));
    }

    #[test]
    fn a_value_has_one_fate_for_each_seed_and_thing() {
        assert_eq!(fate("s", "delay", b"alice"), fate("s", "delay", b"alice"));
        let others = [fate("s", "abort", b"alice"), fate("t", "delay", b"alice"), fate("s", "delay", b"bob")];
        assert!(others.iter().all(|other| *other != fate("s", "delay", b"alice")));
        assert_ne!(fate("ab", "c", b"d"), fate("a", "bc", b"d"));
        assert_ne!(fate("a", "b", b"cd"), fate("a", "bc", b"d"));
    }

    #[test]
    fn fates_are_spread_evenly() {
        let hit = (0..10_000).filter(|n| happens(100_000, || fate("", "", format!("{n}").as_bytes()))).count();
        // Five standard deviations of a binomial distribution with n = 10,000, p = 0.1 are 150.
        assert!((850..=1150).contains(&hit), "{hit} of 10,000");
    }
}
