//! PBKDF2 (RFC 8018) with HMAC of SHA-1, SHA-256 or SHA-512: `$pbkdf2-sha256$i=ROUNDS$SALT$HASH` as in the PHC string
//! format, `$pbkdf2-sha256$ROUNDS$SALT$HASH` as passlib, and `{PBKDF2-SHA256}ROUNDS$SALT$HASH` as LDAP servers write it.

use alloc::vec::Vec;

use subtle::Choice;

use super::hasher::{Digest, Function, Hasher};
use super::{InvalidPasswordHash, base64, number, same};

const LONGEST_SALT: usize = 128;
const SHORTEST_DIGEST: usize = 16;
const LONGEST_DIGEST: usize = 64;

const MARKS: [(&str, Function); 8] = [
    ("$pbkdf2$", Function::Sha1),
    ("$pbkdf2-sha1$", Function::Sha1),
    ("$pbkdf2-sha256$", Function::Sha256),
    ("$pbkdf2-sha512$", Function::Sha512),
    ("{PBKDF2}", Function::Sha1),
    ("{PBKDF2-SHA1}", Function::Sha1),
    ("{PBKDF2-SHA256}", Function::Sha256),
    ("{PBKDF2-SHA512}", Function::Sha512),
];

#[derive(Clone, PartialEq, Eq)]
pub(super) struct Pbkdf2 {
    function: Function,
    rounds: u32,
    salt: Vec<u8>,
    digest: Vec<u8>,
}

impl Pbkdf2 {
    pub(super) fn parse(text: &str) -> Option<Result<Pbkdf2, InvalidPasswordHash>> {
        MARKS.iter().find_map(|(mark, function)| Some(read(*function, text.strip_prefix(mark)?)))
    }

    pub(super) fn micros(&self) -> u32 {
        let (nanos_per_round, length) = match self.function {
            Function::Sha1 => (500, 20),
            Function::Sha256 => (1100, 32),
            Function::Sha512 | Function::Md5 => (1600, 64),
        };
        let blocks = u64::try_from(self.digest.len().div_ceil(length)).unwrap_or(1);
        let nanos = u64::from(self.rounds).saturating_mul(nanos_per_round).saturating_mul(blocks);
        u32::try_from(nanos / 1000).unwrap_or(u32::MAX).max(1)
    }

    pub(super) fn verify(&self, password: &[u8]) -> Choice {
        let hmac = Hmac::new(self.function, password);
        let mut digest = Vec::with_capacity(self.digest.len());
        let mut block = 0_u32;
        while digest.len() < self.digest.len() {
            block = block.saturating_add(1);
            let mut last = hmac.of(&[&self.salt, &block.to_be_bytes()]);
            let mut sum = last;
            for _ in 1..self.rounds {
                last = hmac.of(&[&last]);
                sum.add(&last);
            }
            digest.extend_from_slice(&sum);
        }
        digest.truncate(self.digest.len());
        same(&digest, &self.digest)
    }
}

/// HMAC (RFC 2104) with a key that is taken in once.
struct Hmac {
    inner: Hasher,
    outer: Hasher,
}

impl Hmac {
    fn new(function: Function, key: &[u8]) -> Hmac {
        let digest;
        let key = if key.len() > function.block() {
            digest = function.digest(&[key]);
            &*digest
        } else {
            key
        };
        let padded = |with: u8| {
            let mut hasher = function.hasher();
            for place in 0..function.block() {
                hasher.update(&[key.get(place).copied().unwrap_or_default() ^ with]);
            }
            hasher
        };
        Hmac { inner: padded(0x36), outer: padded(0x5c) }
    }

    fn of(&self, parts: &[&[u8]]) -> Digest {
        let mut inner = self.inner.clone();
        parts.iter().for_each(|part| inner.update(part));
        let mut outer = self.outer.clone();
        outer.update(&inner.finish());
        outer.finish()
    }
}

fn read(function: Function, text: &str) -> Result<Pbkdf2, InvalidPasswordHash> {
    let damaged = InvalidPasswordHash::Damaged;
    let mut fields = text.split('$');
    let (Some(parameters), Some(salt), Some(digest), None) =
        (fields.next(), fields.next(), fields.next(), fields.next())
    else {
        return Err(damaged);
    };
    let (parameters, length) = match parameters.strip_prefix("i=") {
        Some(named) => match named.split_once(",l=") {
            Some((rounds, length)) => (rounds, Some(number(length)?)),
            None => (named, None),
        },
        None => (parameters, None),
    };
    let rounds = number(parameters)?;
    // passlib and LDAP servers write `.` for `+`.
    let salt = base64(&salt.replace('.', "+"))?;
    let digest = base64(&digest.replace('.', "+"))?;
    let is_as_long = length.is_none_or(|length| usize::try_from(length) == Ok(digest.len()));
    let is_digest = (SHORTEST_DIGEST..=LONGEST_DIGEST).contains(&digest.len()) && is_as_long;
    if !is_digest || salt.is_empty() || salt.len() > LONGEST_SALT {
        return Err(damaged);
    }
    Ok(Pbkdf2 { function, rounds, salt, digest })
}
