//! Which signatures have been here: a memory that all workers share and that never grows.
//!
//! Only requests that have proven themselves are remembered, so that nobody without a secret can fill it. A signature is
//! forgotten in the second in which its age alone refuses it, never before: where there is no room, requests are refused
//! instead.

use alloc::vec::Vec;

use super::Denial;
use crate::{Env, Shared};

/// So many share a value of the shared memory.
const WAYS: usize = 64;
/// Of a signature's digest; 2^-128 is the chance that two have the same.
const DIGEST: usize = 16;
/// A digest, and the second in which it is forgotten.
const ENTRY: usize = 24;
/// Another worker has written in the meantime: so often is tried.
const TRIES: usize = 32;

#[derive(Debug)]
pub(super) struct Memory {
    /// Before the number of each set.
    prefix: Vec<u8>,
    sets: u32,
}

impl Memory {
    /// Room for about so many signatures; none remembers nothing.
    pub(super) fn new(owner: &str, signatures: u32) -> Option<Memory> {
        if signatures == 0 {
            return None;
        }
        let prefix = [b"hmac-signature\0", owner.as_bytes(), b"\0"].concat();
        Some(Memory { prefix, sets: signatures.div_ceil(WAYS.try_into().unwrap_or(u32::MAX)) })
    }

    /// Remembers a digest, made with a secret, until the second `forget_at`. Refuses one that it remembers.
    pub(super) fn admit(&self, digest: &[u8; 32], forget_at: i64, env: &mut dyn Env) -> Result<(), Denial> {
        let ([a, b, c, d, ..], Some(name)) = (*digest, digest.last_chunk::<DIGEST>()) else {
            return Err(Denial::Unremembered);
        };
        let set = u32::from_be_bytes([a, b, c, d]).checked_rem(self.sets).unwrap_or_default();
        let key = [&self.prefix[..], &set.to_be_bytes()].concat();
        let now = i64::try_from(env.unix_nanos() / 1_000_000_000).unwrap_or(i64::MAX);
        for _ in 0..TRIES {
            let Shared { value, version } = env.shared(&key).unwrap_or(Shared { value: Vec::new(), version: 0 });
            let mut kept = Vec::new();
            for entry in entries(&value).filter(|entry| entry.forget_at > now) {
                if entry.name == name {
                    return Err(Denial::Replayed);
                }
                entry.write(&mut kept);
            }
            if kept.len() >= WAYS.saturating_mul(ENTRY) {
                return Err(Denial::Unremembered);
            }
            Entry { name, forget_at }.write(&mut kept);
            if env.share(&key, &kept, version) {
                return Ok(());
            }
        }
        Err(Denial::Unremembered)
    }
}

struct Entry<'v> {
    name: &'v [u8; DIGEST],
    forget_at: i64,
}

impl Entry<'_> {
    fn write(&self, value: &mut Vec<u8>) {
        value.extend(self.name);
        value.extend(self.forget_at.to_be_bytes());
    }
}

fn entries(value: &[u8]) -> impl Iterator<Item = Entry<'_>> {
    let (entries, _) = value.as_chunks::<ENTRY>();
    entries.iter().filter_map(|entry| {
        let forget_at = i64::from_be_bytes(*entry.last_chunk()?);
        Some(Entry { name: entry.first_chunk()?, forget_at })
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::vec::Vec;

    use super::{Denial, ENTRY, Memory, WAYS};
    use crate::{Counter, Env, Shared, sha256};

    /// What two workers see; `racing` is written by the other one just before.
    #[derive(Default)]
    struct World {
        now: u64,
        shared: BTreeMap<Vec<u8>, Shared>,
        racing: Vec<Vec<u8>>,
    }

    impl Env for World {
        fn random(&mut self) -> u64 {
            0
        }
        fn unix_nanos(&mut self) -> u64 {
            self.now * 1_000_000_000
        }
        fn monotonic_nanos(&mut self) -> u64 {
            0
        }
        fn count(&mut self, _: Counter) {}
        fn held(&mut self) -> u64 {
            0
        }
        fn shared(&mut self, key: &[u8]) -> Option<Shared> {
            self.shared.get(key).cloned()
        }
        fn share(&mut self, key: &[u8], value: &[u8], version: u32) -> bool {
            if let Some(other) = self.racing.pop() {
                let version = self.shared.get(key).map_or(0, |shared| shared.version) + 1;
                self.shared.insert(key.to_vec(), Shared { value: other, version });
            }
            let known = self.shared.get(key).map_or(0, |shared| shared.version);
            if known == version {
                self.shared.insert(key.to_vec(), Shared { value: value.to_vec(), version: known + 1 });
            }
            known == version
        }
    }

    fn digest(number: u32) -> [u8; 32] {
        sha256(&number.to_be_bytes())
    }

    #[test]
    fn a_signature_is_remembered_until_it_is_good_no_more() {
        let memory = Memory::new("shop", 1000).expect("a memory");
        let mut world = World { now: 100, ..World::default() };
        assert_eq!(memory.admit(&digest(1), 110, &mut world), Ok(()));
        for now in [100, 105, 109] {
            world.now = now;
            assert_eq!(memory.admit(&digest(1), 110, &mut world), Err(Denial::Replayed));
        }
        world.now = 110;
        assert_eq!(memory.admit(&digest(1), 120, &mut world), Ok(()));
    }

    #[test]
    fn owners_do_not_share_what_they_remember() {
        let mut world = World::default();
        for owner in ["shop", "mill"] {
            let memory = Memory::new(owner, 1000).expect("a memory");
            assert_eq!(memory.admit(&digest(1), 10, &mut world), Ok(()));
        }
    }

    #[test]
    fn a_full_memory_refuses_what_is_new_and_forgets_nothing() {
        let memory = Memory::new("shop", 1).expect("a memory");
        let mut world = World::default();
        for number in 0..64 {
            assert_eq!(memory.admit(&digest(number), 10, &mut world), Ok(()));
        }
        assert_eq!(memory.admit(&digest(64), 10, &mut world), Err(Denial::Unremembered));
        assert_eq!(memory.admit(&digest(0), 10, &mut world), Err(Denial::Replayed));
        world.now = 10;
        assert_eq!(memory.admit(&digest(64), 20, &mut world), Ok(()));
    }

    #[test]
    fn a_hundred_thousand_signatures_take_no_more_room_than_there_is() {
        let memory = Memory::new("shop", 1000).expect("a memory");
        let mut world = World::default();
        for number in 0..100_000 {
            let _ = memory.admit(&digest(number), 10, &mut world);
        }
        let bytes: usize = world.shared.values().map(|shared| shared.value.len()).sum();
        assert_eq!(world.shared.len(), 16);
        assert_eq!(bytes, 16 * WAYS * ENTRY);
    }

    #[test]
    fn what_another_worker_has_admitted_meanwhile_is_refused() {
        let memory = Memory::new("shop", 1).expect("a memory");
        let mut other = World::default();
        assert_eq!(memory.admit(&digest(1), 10, &mut other), Ok(()));
        let racing = other.shared.into_values().map(|shared| shared.value).collect();
        let mut world = World { racing, ..World::default() };
        assert_eq!(memory.admit(&digest(1), 10, &mut world), Err(Denial::Replayed));
        assert_eq!(memory.admit(&digest(2), 10, &mut world), Ok(()));
    }

    #[test]
    fn a_memory_that_cannot_be_written_lets_nobody_pass() {
        let memory = Memory::new("shop", 1).expect("a memory");
        let mut world = World { racing: std::vec![Vec::new(); 1000], ..World::default() };
        assert_eq!(memory.admit(&digest(1), 10, &mut world), Err(Denial::Unremembered));
    }

    #[test]
    fn a_memory_without_room_is_none() {
        assert!(Memory::new("shop", 0).is_none());
    }
}
