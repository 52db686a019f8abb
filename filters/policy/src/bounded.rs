//! A memory of many keys that never grows: what filters remember from one request for the next.

use alloc::vec::Vec;

/// A digest of whatever is remembered, made with a secret that no client knows: clients cannot choose each other's place.
pub type Key = [u8; 32];

/// So many keys share a place; one more drives out the least of them.
const WAYS: usize = 8;

/// Values by their keys. Finding, storing and forgetting look at eight places, whatever was stored before.
#[derive(Debug)]
pub struct Bounded<V> {
    places: Vec<Option<(Key, V)>>,
    sets: usize,
}

impl<V> Bounded<V> {
    /// Room for about so many keys; memory is taken when the first is stored.
    pub fn new(keys: usize) -> Bounded<V> {
        Bounded { places: Vec::new(), sets: keys.div_ceil(WAYS).max(1) }
    }

    /// What is remembered of a key.
    pub fn get_mut(&mut self, key: &Key) -> Option<&mut V> {
        let found = self.set(key).iter_mut().flatten().find(|(known, _)| known == key)?;
        Some(&mut found.1)
    }

    /// Remembers a value. Where there is no room, whatever `worth` makes the least of is forgotten.
    pub fn insert(&mut self, key: Key, value: V, mut worth: impl FnMut(&V) -> u64) {
        if self.places.is_empty() {
            let places = self.sets.saturating_mul(WAYS);
            // Without memory nothing is remembered.
            if self.places.try_reserve_exact(places).is_err() {
                return;
            }
            self.places.resize_with(places, || None);
        }
        let least = self.set(&key).iter_mut().min_by_key(|place| match place {
            Some((known, _)) if *known == key => (0, 0),
            None => (1, 0),
            Some((_, value)) => (2, worth(value)),
        });
        if let Some(place) = least {
            *place = Some((key, value));
        }
    }

    fn set(&mut self, key: &Key) -> &mut [Option<(Key, V)>] {
        let [a, b, c, d, ..] = *key;
        let number = usize::try_from(u32::from_le_bytes([a, b, c, d])).unwrap_or_default();
        let first = number.checked_rem(self.sets).unwrap_or_default().saturating_mul(WAYS);
        self.places.get_mut(first..first.saturating_add(WAYS)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::{Bounded, Key, WAYS};

    fn key(number: u32) -> Key {
        let mut key = [0; 32];
        key[..4].copy_from_slice(&number.to_le_bytes());
        key
    }

    #[test]
    fn what_is_stored_is_found_and_replaced() {
        let mut memory = Bounded::new(100);
        memory.insert(key(1), 10, |_| 0);
        memory.insert(key(2), 20, |_| 0);
        memory.insert(key(1), 11, |_| 0);
        assert_eq!(memory.get_mut(&key(1)), Some(&mut 11));
        assert_eq!(memory.get_mut(&key(2)), Some(&mut 20));
        assert_eq!(memory.get_mut(&key(3)), None);
    }

    #[test]
    fn a_million_keys_take_no_more_room_than_a_few() {
        let mut memory = Bounded::new(1000);
        for number in 0..1_000_000 {
            memory.insert(key(number), number, |value| u64::from(*value));
        }
        assert_eq!(memory.places.len(), 1000);
        assert_eq!(memory.places.capacity(), 1000);
    }

    #[test]
    fn the_least_worth_makes_room() {
        let mut memory = Bounded::new(WAYS);
        for number in 0..8 {
            memory.insert(key(number), 10 + number, |value| u64::from(*value));
        }
        memory.insert(key(8), 100, |value| u64::from(*value));
        assert_eq!(memory.get_mut(&key(0)), None);
        assert_eq!(memory.get_mut(&key(1)), Some(&mut 11));
        assert_eq!(memory.get_mut(&key(8)), Some(&mut 100));
    }
}
