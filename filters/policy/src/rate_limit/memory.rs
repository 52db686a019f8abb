//! Where the buckets of a limit are: one bucket, a worker's own many, or what all workers share.

use alloc::string::String;
use alloc::vec::Vec;

use super::bucket::FULL;
use super::table::{self, Mark, SET, Table};
use crate::{Env, sha256};

/// So many sets of eight buckets.
const SETS: u16 = 1024;
/// How often a bucket is read again that another worker changed in between.
const TRIES: u32 = 8;
/// What all workers put before keys, so that no client can choose whom to share a set with.
const SECRET: &[u8] = b"meshwright.rate-limit.secret";

/// The buckets of one limit.
#[derive(Debug)]
pub(super) enum Memory {
    /// One, of one worker.
    Single(u128),
    /// Of one worker, by keys.
    Own {
        table: Table,
        /// Drawn when the first key comes.
        secret: Option<[u8; 32]>,
    },
    /// Of all workers.
    Shared {
        /// Before the number of a set, in its name.
        prefix: String,
        /// What the first bytes of a set are: another rate's sets are none of this one.
        stamp: Mark,
        is_single: bool,
        secret: Option<[u8; 32]>,
    },
}

/// What stands for a request's key.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Key {
    set: u16,
    mark: Mark,
}

impl Memory {
    pub(super) fn single() -> Memory {
        Memory::Single(FULL)
    }

    pub(super) fn own() -> Memory {
        Memory::Own { table: Table::new(usize::from(SETS)), secret: None }
    }

    pub(super) fn shared(prefix: &str, rate: &str, is_single: bool) -> Memory {
        let stamp = sha256(rate.as_bytes()).first_chunk().copied().unwrap_or_default();
        Memory::Shared { prefix: prefix.into(), stamp, is_single, secret: None }
    }

    /// The place of a key.
    pub(super) fn key(&mut self, text: &[u8], env: &mut dyn Env) -> Key {
        let secret = match self {
            Memory::Single(_) => return Key::default(),
            Memory::Own { secret, .. } => *secret.get_or_insert_with(|| draw(env)),
            Memory::Shared { secret, .. } => match *secret {
                Some(secret) => secret,
                None => {
                    let agreed = agree(env);
                    *secret = agreed;
                    agreed.unwrap_or_default()
                }
            },
        };
        let mut keyed = Vec::with_capacity(text.len().saturating_add(secret.len()));
        keyed.extend(secret);
        keyed.extend(text);
        let [a, b, mark @ ..] = sha256(&keyed);
        let set = u16::from_le_bytes([a, b]) % SETS;
        Key { set, mark: mark.first_chunk().copied().unwrap_or_default() }
    }

    /// Changes when the bucket of a key will be full. `None` where it was not changed: by choice, or because other
    /// workers never let it be.
    pub(super) fn change(
        &mut self,
        key: &Key,
        env: &mut dyn Env,
        change: &mut dyn FnMut(u128) -> Option<u128>,
    ) -> Option<u128> {
        match self {
            Memory::Single(full_at) => {
                *full_at = change(*full_at)?;
                Some(*full_at)
            }
            Memory::Own { table, .. } => change_in(table.set(key.set), key, change),
            Memory::Shared { prefix, stamp, is_single, .. } => {
                let mut name: Vec<u8> = prefix.clone().into();
                name.extend(key.set.to_be_bytes());
                let length = if *is_single { table::PLACE } else { SET };
                change_shared(&name, *stamp, length, key, env, change)
            }
        }
    }
}

fn change_in(set: &mut [u8], key: &Key, change: &mut dyn FnMut(u128) -> Option<u128>) -> Option<u128> {
    let full_at = change(table::full_at(set, key.mark))?;
    table::keep(set, key.mark, full_at);
    Some(full_at)
}

fn change_shared(
    name: &[u8],
    stamp: Mark,
    length: usize,
    key: &Key,
    env: &mut dyn Env,
    change: &mut dyn FnMut(u128) -> Option<u128>,
) -> Option<u128> {
    for _ in 0..TRIES {
        let (mut value, version) = env.shared(name).map_or((Vec::new(), 0), |shared| (shared.value, shared.version));
        if !value.starts_with(&stamp) || value.len() != length.saturating_add(stamp.len()) {
            value.clear();
            value.extend(stamp);
            value.resize(length.saturating_add(stamp.len()), 0);
        }
        let full_at = change_in(value.get_mut(stamp.len()..).unwrap_or_default(), key, change)?;
        if env.share(name, &value, version) {
            return Some(full_at);
        }
    }
    None
}

/// The secret of all workers: the first to come draws it.
fn agree(env: &mut dyn Env) -> Option<[u8; 32]> {
    for _ in 0..TRIES {
        let known = env.shared(SECRET).and_then(|shared| shared.value.first_chunk().copied());
        if known.is_some() {
            return known;
        }
        let drawn = draw(env);
        env.share(SECRET, &drawn, 0);
    }
    None
}

fn draw(env: &mut dyn Env) -> [u8; 32] {
    let mut secret = [0; 32];
    for part in secret.chunks_exact_mut(8) {
        part.copy_from_slice(&env.random().to_le_bytes());
    }
    secret
}
