//! argon2id (RFC 9106) in the PHC string format: `$argon2id$v=19$m=19456,t=2,p=1$SALT$HASH`.

use alloc::vec;
use alloc::vec::Vec;

use argon2::{Algorithm, Argon2, Block, Params, Version};
use spin::Mutex;
use subtle::Choice;

use super::{InvalidPasswordHash, LARGEST_CHECK_KIB, NoMemory, base64, number, same};

const MOST_LANES: u32 = 16;
const SHORTEST_SALT: usize = 8;
const LONGEST_SALT: usize = 64;
const SHORTEST_DIGEST: usize = 16;
const LONGEST_DIGEST: usize = 64;

/// The memory of every check in a virtual machine, taken once: given back, it would be broken into pieces of which none is
/// large enough, until the module has no more.
static MEMORY: Mutex<Vec<Block>> = Mutex::new(Vec::new());

#[derive(Clone, PartialEq, Eq)]
pub(super) struct Argon2id {
    is_first_version: bool,
    /// In KiB; at least eight for each lane.
    memory: u32,
    passes: u32,
    lanes: u32,
    salt: Vec<u8>,
    digest: Vec<u8>,
}

impl Argon2id {
    pub(super) fn parse(text: &str) -> Option<Result<Argon2id, InvalidPasswordHash>> {
        text.strip_prefix("$argon2id$").map(read)
    }

    pub(super) fn micros(&self) -> u32 {
        const NANOS_PER_KIB: u64 = 1200;
        let kib = u64::from(self.memory).saturating_mul(u64::from(self.passes));
        u32::try_from(kib.saturating_mul(NANOS_PER_KIB) / 1000).unwrap_or(u32::MAX).max(1)
    }

    pub(super) fn kib(&self) -> u32 {
        self.memory
    }

    /// Where there is too little memory, nobody passes.
    pub(super) fn verify(&self, password: &[u8]) -> Result<Choice, NoMemory> {
        match MEMORY.try_lock() {
            Some(mut memory) => self.verify_in(&mut memory, password),
            // Another thread's, outside Envoy.
            None => self.verify_in(&mut Vec::new(), password),
        }
    }

    fn verify_in(&self, memory: &mut Vec<Block>, password: &[u8]) -> Result<Choice, NoMemory> {
        let length = self.digest.len();
        let params = Params::new(self.memory, self.passes, self.lanes, Some(length)).map_err(|_| NoMemory)?;
        memory.clear();
        let most = usize::try_from(LARGEST_CHECK_KIB).map_err(|_| NoMemory)?;
        memory.try_reserve_exact(most.max(params.block_count())).map_err(|_| NoMemory)?;
        memory.resize(params.block_count(), Block::new());
        let version = if self.is_first_version { Version::V0x10 } else { Version::V0x13 };
        let argon2 = Argon2::new(Algorithm::Argon2id, version, params);
        let mut digest = vec![0; length];
        let hashed = argon2.hash_password_into_with_memory(password, &self.salt, &mut digest, &mut memory[..]);
        hashed.map_err(|_| NoMemory)?;
        Ok(same(&digest, &self.digest))
    }
}

fn read(text: &str) -> Result<Argon2id, InvalidPasswordHash> {
    let damaged = InvalidPasswordHash::Damaged;
    let (is_first_version, rest) = match text.strip_prefix("v=19$") {
        Some(rest) => (false, rest),
        None => (true, text.strip_prefix("v=16$").unwrap_or(text)),
    };
    let mut fields = rest.split('$');
    let (Some(parameters), Some(salt), Some(digest), None) =
        (fields.next(), fields.next(), fields.next(), fields.next())
    else {
        return Err(damaged);
    };
    let parameters = parameters.strip_prefix("m=").ok_or(damaged)?;
    let (memory, parameters) = parameters.split_once(",t=").ok_or(damaged)?;
    let (passes, lanes) = parameters.split_once(",p=").ok_or(damaged)?;
    let (memory, passes, lanes) = (number(memory)?, number(passes)?, number(lanes)?);
    let (salt, digest) = (base64(salt)?, base64(digest)?);
    if lanes > MOST_LANES
        || memory < lanes.saturating_mul(8)
        || !(SHORTEST_SALT..=LONGEST_SALT).contains(&salt.len())
        || !(SHORTEST_DIGEST..=LONGEST_DIGEST).contains(&digest.len())
    {
        return Err(damaged);
    }
    Ok(Argon2id { is_first_version, memory, passes, lanes, salt, digest })
}
