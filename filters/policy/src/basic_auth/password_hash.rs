//! A password's hash as an htpasswd file writes it: `{SHA}…` or `{SSHA}…`.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use sha1::{Digest, Sha1};
use subtle::{Choice, ConstantTimeEq};

use crate::{Decode, Invalid};

const DIGEST_LENGTH: usize = 20;
const MAX_SALT_LENGTH: usize = 64;

/// The hash of a password: SHA-1, salted (`{SSHA}`) or not (`{SHA}`).
///
/// Serialised as its htpasswd text. Never printed by `Debug`, and not printable at all except
/// through [`PasswordHash::to_htpasswd`].
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(into = "String")]
pub struct PasswordHash {
    digest: [u8; DIGEST_LENGTH],
    /// Empty for `{SHA}`.
    salt: Vec<u8>,
}

/// Why a text is not a password hash. Never holds the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPasswordHash {
    /// Another scheme's hash, by the name of the scheme.
    #[error("{0} hashes are not supported; use `{{SSHA}}` or `{{SHA}}`")]
    Unsupported(&'static str),
    /// No known scheme at all: perhaps the password itself.
    #[error("not a hash in the form `{{SSHA}}…` or `{{SHA}}…`")]
    NotAHash,
    /// The right scheme with the wrong contents.
    #[error("the hash is not valid base64 or has the wrong length")]
    Damaged,
}

impl PasswordHash {
    /// Reads an htpasswd hash.
    pub fn parse(text: &str) -> Result<PasswordHash, InvalidPasswordHash> {
        if let Some(encoded) = text.strip_prefix("{SSHA}") {
            let (digest, salt) = decode(encoded)?;
            if salt.is_empty() || salt.len() > MAX_SALT_LENGTH {
                return Err(InvalidPasswordHash::Damaged);
            }
            return Ok(PasswordHash { digest, salt });
        }
        if let Some(encoded) = text.strip_prefix("{SHA}") {
            let (digest, salt) = decode(encoded)?;
            if !salt.is_empty() {
                return Err(InvalidPasswordHash::Damaged);
            }
            return Ok(PasswordHash { digest, salt });
        }
        Err(foreign_scheme(text))
    }

    /// The hash of a password; without salt, `{SHA}`.
    pub fn of_password(password: &[u8], salt: &[u8]) -> PasswordHash {
        PasswordHash { digest: digest(password, salt), salt: salt.to_vec() }
    }

    /// The htpasswd text: a secret, fit only for the filter's configuration.
    pub fn to_htpasswd(&self) -> String {
        let mut bytes = self.digest.to_vec();
        bytes.extend(&self.salt);
        format!("{}{}", self.scheme(), STANDARD.encode(bytes))
    }

    /// Whether this is the hash of the password, in constant time.
    pub(super) fn verify(&self, password: &[u8]) -> Choice {
        digest(password, &self.salt).ct_eq(&self.digest)
    }

    fn scheme(&self) -> &'static str {
        if self.salt.is_empty() { "{SHA}" } else { "{SSHA}" }
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}…", self.scheme())
    }
}

impl Decode for PasswordHash {
    fn decode(value: serde_json::Value) -> Result<PasswordHash, Invalid> {
        PasswordHash::parse(&String::decode(value)?).map_err(|_| Invalid::new("a password's hash is expected"))
    }
}

impl From<PasswordHash> for String {
    fn from(hash: PasswordHash) -> String {
        hash.to_htpasswd()
    }
}

fn digest(password: &[u8], salt: &[u8]) -> [u8; DIGEST_LENGTH] {
    Sha1::new().chain_update(password).chain_update(salt).finalize().into()
}

fn decode(encoded: &str) -> Result<([u8; DIGEST_LENGTH], Vec<u8>), InvalidPasswordHash> {
    let bytes = STANDARD.decode(encoded).map_err(|_| InvalidPasswordHash::Damaged)?;
    let (digest, salt) = bytes.split_first_chunk().ok_or(InvalidPasswordHash::Damaged)?;
    Ok((*digest, salt.to_vec()))
}

fn foreign_scheme(text: &str) -> InvalidPasswordHash {
    const SCHEMES: [(&str, &str); 8] = [
        ("$2", "bcrypt"),
        ("$apr1$", "apr1 (MD5)"),
        ("$1$", "MD5 crypt"),
        ("$5$", "SHA-256 crypt"),
        ("$6$", "SHA-512 crypt"),
        ("$argon2", "argon2"),
        ("{PLAIN}", "plain text"),
        ("$", "crypt"),
    ];
    let known = SCHEMES.iter().find(|(prefix, _)| text.starts_with(prefix));
    known.map_or(InvalidPasswordHash::NotAHash, |(_, name)| InvalidPasswordHash::Unsupported(name))
}
