//! PBKDF2 (RFC 8018) with HMAC of SHA-1, SHA-256 or SHA-512: `$pbkdf2-sha256$i=ROUNDS$SALT$HASH` as in the PHC string
//! format, `$pbkdf2-sha256$ROUNDS$SALT$HASH` as passlib, and `{PBKDF2-SHA256}ROUNDS$SALT$HASH` as LDAP servers write it.

use alloc::vec;
use alloc::vec::Vec;

use pbkdf2::pbkdf2_hmac;
use sha1::Sha1;
use sha2::{Sha256, Sha512};
use subtle::Choice;

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

#[derive(Clone, Copy, PartialEq, Eq)]
enum Function {
    Sha1,
    Sha256,
    Sha512,
}

impl Pbkdf2 {
    pub(super) fn parse(text: &str) -> Option<Result<Pbkdf2, InvalidPasswordHash>> {
        MARKS.iter().find_map(|(mark, function)| Some(read(*function, text.strip_prefix(mark)?)))
    }

    pub(super) fn micros(&self) -> u32 {
        let (nanos_per_round, length) = match self.function {
            Function::Sha1 => (350, 20),
            Function::Sha256 => (480, 32),
            Function::Sha512 => (1000, 64),
        };
        let blocks = u64::try_from(self.digest.len().div_ceil(length)).unwrap_or(1);
        let nanos = u64::from(self.rounds).saturating_mul(nanos_per_round).saturating_mul(blocks);
        u32::try_from(nanos / 1000).unwrap_or(u32::MAX).max(1)
    }

    pub(super) fn verify(&self, password: &[u8]) -> Choice {
        let mut digest = vec![0; self.digest.len()];
        match self.function {
            Function::Sha1 => pbkdf2_hmac::<Sha1>(password, &self.salt, self.rounds, &mut digest),
            Function::Sha256 => pbkdf2_hmac::<Sha256>(password, &self.salt, self.rounds, &mut digest),
            Function::Sha512 => pbkdf2_hmac::<Sha512>(password, &self.salt, self.rounds, &mut digest),
        }
        same(&digest, &self.digest)
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
