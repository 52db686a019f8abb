//! bcrypt as `htpasswd -B` writes it: `$2y$10$…`; `$2a$` and `$2b$` are the same of any sound program.

use base64::Engine;
use base64::alphabet::BCRYPT;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use subtle::Choice;

use super::{InvalidPasswordHash, same};

/// What follows the cost: 16 bytes of salt and 23 of the digest.
const SALT_CHARACTERS: usize = 22;
const DIGEST_CHARACTERS: usize = 31;

/// What bcrypt looks at; further bytes do not count, for any program.
const LONGEST_KEY: usize = 72;

/// Programs differ in the bits that are left over.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &BCRYPT,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(true),
);

#[derive(Clone, PartialEq, Eq)]
pub(super) struct Bcrypt {
    /// From 4 to 31: the logarithm of the rounds.
    cost: u32,
    salt: [u8; 16],
    digest: [u8; 23],
}

impl Bcrypt {
    pub(super) fn parse(text: &str) -> Option<Result<Bcrypt, InvalidPasswordHash>> {
        let rest = ["$2a$", "$2b$", "$2y$"].iter().find_map(|prefix| text.strip_prefix(prefix))?;
        Some(read(rest).ok_or(InvalidPasswordHash::Damaged))
    }

    pub(super) fn micros(&self) -> u32 {
        const OF_COST_10: u64 = 118_000;
        let rounds = 1_u64.checked_shl(self.cost).unwrap_or(u64::MAX);
        u32::try_from(OF_COST_10.saturating_mul(rounds) / 1024).unwrap_or(u32::MAX)
    }

    pub(super) fn verify(&self, password: &[u8]) -> Choice {
        // The password's end belongs to the key, unless it is too long.
        let mut key = [0; LONGEST_KEY];
        let length = password.len().min(LONGEST_KEY);
        if let (Some(head), Some(start)) = (key.get_mut(..length), password.get(..length)) {
            head.copy_from_slice(start);
        }
        let with_end = length.saturating_add(1).min(LONGEST_KEY);
        let digest = bcrypt::bcrypt(self.cost, self.salt, key.get(..with_end).unwrap_or(&[0]));
        same(digest.get(..23).unwrap_or_default(), &self.digest)
    }
}

fn read(text: &str) -> Option<Bcrypt> {
    let (cost, rest) = text.split_once('$')?;
    let is_cost = cost.len() == 2 && cost.bytes().all(|byte| byte.is_ascii_digit());
    let cost = cost.parse().ok().filter(|cost| is_cost && (4..=31).contains(cost))?;
    let (salt, digest) = rest.split_at_checked(SALT_CHARACTERS)?;
    if digest.len() != DIGEST_CHARACTERS {
        return None;
    }
    let salt = BASE64.decode(salt).ok()?.try_into().ok()?;
    let digest = BASE64.decode(digest).ok()?.try_into().ok()?;
    Some(Bcrypt { cost, salt, digest })
}
