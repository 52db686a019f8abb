//! `{SHA}` and `{SSHA}` (RFC 2307): SHA-1, salted or not.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use subtle::Choice;

use super::hasher::Function;
use super::{InvalidPasswordHash, same};

const DIGEST_LENGTH: usize = 20;
const LONGEST_SALT: usize = 64;

#[derive(Clone, PartialEq, Eq)]
pub(super) struct Sha1 {
    digest: [u8; DIGEST_LENGTH],
    /// Empty for `{SHA}`.
    salt: Vec<u8>,
}

impl Sha1 {
    /// No password's: what stands in its place until it is read.
    pub(super) fn blank() -> Sha1 {
        Sha1 { digest: [0; DIGEST_LENGTH], salt: Vec::new() }
    }

    pub(super) fn parse(text: &str) -> Option<Result<Sha1, InvalidPasswordHash>> {
        if let Some(encoded) = text.strip_prefix("{SSHA}") {
            return Some(read(encoded, 1, LONGEST_SALT));
        }
        text.strip_prefix("{SHA}").map(|encoded| read(encoded, 0, 0))
    }

    pub(super) fn of_password(password: &[u8], salt: &[u8]) -> Sha1 {
        Sha1 { digest: digest(password, salt), salt: salt.to_vec() }
    }

    pub(super) fn to_htpasswd(&self) -> String {
        let mut bytes = self.digest.to_vec();
        bytes.extend(&self.salt);
        format!("{}{}", self.name(), STANDARD.encode(bytes))
    }

    pub(super) fn name(&self) -> &'static str {
        if self.salt.is_empty() { "{SHA}" } else { "{SSHA}" }
    }

    pub(super) fn verify(&self, password: &[u8]) -> Choice {
        same(&digest(password, &self.salt), &self.digest)
    }
}

fn read(encoded: &str, shortest_salt: usize, longest_salt: usize) -> Result<Sha1, InvalidPasswordHash> {
    // Padded: Envoy's own filter takes no other.
    let bytes = STANDARD.decode(encoded).map_err(|_| InvalidPasswordHash::Damaged)?;
    let (digest, salt) = bytes.split_first_chunk().ok_or(InvalidPasswordHash::Damaged)?;
    if !(shortest_salt..=longest_salt).contains(&salt.len()) {
        return Err(InvalidPasswordHash::Damaged);
    }
    Ok(Sha1 { digest: *digest, salt: salt.to_vec() })
}

fn digest(password: &[u8], salt: &[u8]) -> [u8; DIGEST_LENGTH] {
    Function::Sha1.digest(&[password, salt]).first_chunk().copied().unwrap_or_default()
}
