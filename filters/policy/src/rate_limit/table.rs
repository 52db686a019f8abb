//! Buckets by their keys, in a piece of memory that never grows.
//!
//! A set has eight places. A new key takes the place of the bucket that is fullest: of all that could be forgotten its owner
//! gains least, and one that is full loses nothing. Places are bytes, because sets that workers share are.

use alloc::vec::Vec;

/// What stands for a key: a part of a digest that no client can compute.
pub(super) type Mark = [u8; 8];

const MARK: usize = 8;
/// One bucket.
pub(super) const PLACE: usize = 24;
/// A set of eight.
pub(super) const SET: usize = 192;

/// The sets of one worker.
#[derive(Debug)]
pub(super) struct Table {
    /// Empty until the first key.
    bytes: Vec<u8>,
    sets: usize,
}

impl Table {
    pub(super) fn new(sets: usize) -> Table {
        Table { bytes: Vec::new(), sets: sets.max(1) }
    }

    /// A set by any number; none where memory has run out.
    pub(super) fn set(&mut self, number: u16) -> &mut [u8] {
        if self.bytes.is_empty() {
            let length = self.sets.saturating_mul(SET);
            if self.bytes.try_reserve_exact(length).is_err() {
                return &mut [];
            }
            self.bytes.resize(length, 0);
        }
        let number = usize::from(number).checked_rem(self.sets).unwrap_or_default();
        let start = number.saturating_mul(SET);
        self.bytes.get_mut(start..start.saturating_add(SET)).unwrap_or_default()
    }

    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.bytes.capacity()
    }
}

/// When the bucket of a key will be full; one that is not known is.
pub(super) fn full_at(set: &[u8], mark: Mark) -> u128 {
    let place = set.chunks_exact(PLACE).find(|place| place.starts_with(&mark));
    place.map(ticks).unwrap_or_default()
}

/// Keeps when the bucket of a key will be full.
pub(super) fn keep(set: &mut [u8], mark: Mark, full_at: u128) {
    let least = set
        .chunks_exact_mut(PLACE)
        .min_by_key(|place| if place.starts_with(&mark) { None } else { Some(ticks(place)) });
    let Some((known, kept)) = least.and_then(<[u8]>::split_first_chunk_mut::<MARK>) else { return };
    *known = mark;
    kept.copy_from_slice(&full_at.to_le_bytes());
}

fn ticks(place: &[u8]) -> u128 {
    place.last_chunk().map_or(0, |ticks| u128::from_le_bytes(*ticks))
}

#[cfg(test)]
mod tests {
    use super::{Mark, SET, Table, full_at, keep};

    fn mark(number: u64) -> Mark {
        number.to_le_bytes()
    }

    #[test]
    fn what_is_kept_is_found_and_replaced() {
        let mut set = [0; SET];
        keep(&mut set, mark(1), 10);
        keep(&mut set, mark(2), u128::MAX);
        keep(&mut set, mark(1), 11);
        assert_eq!(full_at(&set, mark(1)), 11);
        assert_eq!(full_at(&set, mark(2)), u128::MAX);
        assert_eq!(full_at(&set, mark(3)), 0);
    }

    #[test]
    fn the_fullest_makes_room() {
        let mut set = [0; SET];
        for number in 0..8 {
            keep(&mut set, mark(number), 100 - u128::from(number));
        }
        keep(&mut set, mark(8), 50);
        assert_eq!(full_at(&set, mark(7)), 0);
        assert_eq!(full_at(&set, mark(8)), 50);
        assert_eq!(full_at(&set, mark(0)), 100);
    }

    #[test]
    fn a_million_keys_take_no_more_room_than_a_few() {
        let mut table = Table::new(10);
        for number in 0..1_000_000_u32 {
            keep(
                table.set(u16::try_from(number % 65_536).expect("small")),
                mark(u64::from(number)),
                u128::from(number),
            );
        }
        assert_eq!(table.capacity(), 10 * SET);
    }

    #[test]
    fn a_damaged_set_is_of_no_harm() {
        for length in [0, 1, 23, 25, 47] {
            let mut set = alloc::vec![0; length];
            keep(&mut set, mark(1), 7);
            assert!([0, 7].contains(&full_at(&set, mark(1))));
        }
    }
}
