//! One of many secrets, found in the same time whichever it is, and whether it is there or not.

use alloc::vec::Vec;

use subtle::{Choice, ConstantTimeEq};

/// A SHA-256.
pub(crate) type Digest = [u8; 32];

/// Values by digests of what proves them.
#[derive(Debug)]
pub(crate) struct Digests<V> {
    /// In the order of their digests.
    entries: Vec<(Digest, V)>,
}

impl<V> Digests<V> {
    /// Fast where values come in the order of their digests, as the compiler writes them. The standard library's sort
    /// would be a tenth of the module.
    pub(crate) fn new(values: impl Iterator<Item = (Digest, V)>) -> Digests<V> {
        let mut entries: Vec<(Digest, V)> = Vec::new();
        for (digest, value) in values {
            let before = |(known, _): &(Digest, V)| *known <= digest;
            let place = if entries.last().is_none_or(before) { entries.len() } else { entries.partition_point(before) };
            entries.insert(place, (digest, value));
        }
        Digests { entries }
    }

    /// The nearest value, and whether the digest is its own; none where there are no values at all.
    ///
    /// The number of steps depends on nothing but the number of values. Steps compare half of a digest: who finds two
    /// keys that agree in so much has broken the other half too.
    pub(crate) fn find(&self, digest: &Digest) -> Option<(&V, Choice)> {
        let wanted = half(digest);
        let (mut first, mut left) = (0_usize, self.entries.len());
        while left > 1 {
            let step = left.checked_div(2)?;
            let middle = first.checked_add(step)?;
            let (known, _) = self.entries.get(middle)?;
            first = if half(known) <= wanted { middle } else { first };
            left = left.checked_sub(step)?;
        }
        let (known, value) = self.entries.get(first)?;
        Some((value, known.ct_eq(digest)))
    }
}

fn half(digest: &Digest) -> u128 {
    digest.first_chunk().map_or(0, |half| u128::from_be_bytes(*half))
}

#[cfg(test)]
mod tests {
    use std::string::{String, ToString};

    use super::Digests;
    use crate::sha256;

    #[test]
    fn each_of_many_is_found_and_no_other() {
        for many in 1..40_u32 {
            let name = |number: u32| number.to_string();
            let entries = (0..many).map(|it| (sha256(name(it).as_bytes()), name(it)));
            let digests = Digests::new(entries);
            let find = |name: &str| -> Option<&String> {
                let (value, same) = digests.find(&sha256(name.as_bytes()))?;
                bool::from(same).then_some(value)
            };
            for number in 0..many {
                assert_eq!(find(&name(number)), Some(&name(number)));
            }
            for number in many..80 {
                assert_eq!(find(&name(number)), None);
            }
        }
        assert!(Digests::<()>::new([].into_iter()).find(&[0; 32]).is_none());
    }
}
