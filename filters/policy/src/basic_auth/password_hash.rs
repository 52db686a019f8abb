//! A password's hash as an htpasswd file writes it, in any of the usual formats.

mod argon2id;
mod bcrypt;
mod crypt64;
mod hasher;
mod md5_crypt;
mod pbkdf2;
mod sha1;
mod sha_crypt;

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::Serialize;
use subtle::{Choice, ConstantTimeEq};

use self::argon2id::Argon2id;
use self::bcrypt::Bcrypt;
use self::md5_crypt::Md5Crypt;
use self::pbkdf2::Pbkdf2;
use self::sha_crypt::ShaCrypt;
use self::sha1::Sha1;
use crate::{Decode, Invalid};

/// The longest that a check may block a worker, by estimate.
pub const SLOWEST_CHECK_MILLIS: u32 = 2000;

/// The most memory that a check may take: the module has 32 MiB for everything.
pub const LARGEST_CHECK_KIB: u32 = 20 * 1024;

/// Longer passwords are wrong wherever hashing one costs its length many times over: a header of 60 KB would block a
/// worker for seconds.
const LONGEST_SLOW_PASSWORD: usize = 512;

/// The hash of a password.
///
/// Serialised as its htpasswd text. Never printed by `Debug`, and not printable at all except
/// through [`PasswordHash::to_htpasswd`].
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(into = "String")]
pub struct PasswordHash {
    text: String,
    format: Format,
}

#[derive(Clone, PartialEq, Eq)]
enum Format {
    Sha1(Sha1),
    Bcrypt(Bcrypt),
    Md5Crypt(Md5Crypt),
    ShaCrypt(ShaCrypt),
    Pbkdf2(Pbkdf2),
    Argon2id(Argon2id),
}

/// Why a text is not a password hash. Never holds the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPasswordHash {
    /// A scheme that nobody should use or that is not known here, by its name.
    #[error("{0} hashes are not supported")]
    Unsupported(&'static str),
    /// No known scheme at all: perhaps the password itself.
    #[error("no hash of a known format")]
    NotAHash,
    /// The right scheme with the wrong contents.
    #[error("the hash is damaged: it is too short or too long, or has characters or parameters that it cannot have")]
    Damaged,
    /// The check would block a worker for too long.
    #[error("checking the hash would take {0} ms; the most is {SLOWEST_CHECK_MILLIS} ms")]
    TooSlow(u32),
    /// The check would take too much memory.
    #[error("checking the hash would take {0} KiB of memory; the most is {LARGEST_CHECK_KIB} KiB")]
    TooLarge(u32),
}

/// The filter had no memory for a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NoMemory;

impl PasswordHash {
    /// Reads an htpasswd hash.
    pub fn parse(text: &str) -> Result<PasswordHash, InvalidPasswordHash> {
        let format = Format::parse(text)?;
        let hash = PasswordHash { text: text.to_owned(), format };
        let (micros, kib) = (hash.check_micros(), hash.check_kib());
        if micros > SLOWEST_CHECK_MILLIS.saturating_mul(1000) {
            return Err(InvalidPasswordHash::TooSlow(micros / 1000));
        }
        if kib > LARGEST_CHECK_KIB {
            return Err(InvalidPasswordHash::TooLarge(kib));
        }
        Ok(hash)
    }

    /// The SHA-1 of a password; without salt `{SHA}`, with it `{SSHA}`.
    pub fn of_password(password: &[u8], salt: &[u8]) -> PasswordHash {
        let hash = Sha1::of_password(password, salt);
        PasswordHash { text: hash.to_htpasswd(), format: Format::Sha1(hash) }
    }

    /// The htpasswd text: a secret, fit only for the filter's configuration.
    pub fn to_htpasswd(&self) -> String {
        self.text.clone()
    }

    /// What the format is called.
    pub fn format(&self) -> &'static str {
        match &self.format {
            Format::Sha1(hash) => hash.name(),
            Format::Bcrypt(_) => "bcrypt",
            Format::Md5Crypt(hash) => hash.name(),
            Format::ShaCrypt(hash) => hash.name(),
            Format::Pbkdf2(_) => "PBKDF2",
            Format::Argon2id(_) => "argon2id",
        }
    }

    /// About how many microseconds a check blocks one of Envoy's workers, as measured in its JavaScript engine; 0 is
    /// less than what a request costs anyway.
    pub fn check_micros(&self) -> u32 {
        match &self.format {
            Format::Sha1(_) => 0,
            Format::Bcrypt(hash) => hash.micros(),
            Format::Md5Crypt(_) => 250,
            Format::ShaCrypt(hash) => hash.micros(),
            Format::Pbkdf2(hash) => hash.micros(),
            Format::Argon2id(hash) => hash.micros(),
        }
    }

    /// How much memory a check takes, in KiB, where it is much.
    fn check_kib(&self) -> u32 {
        match &self.format {
            Format::Argon2id(hash) => hash.kib(),
            _ => 0,
        }
    }

    /// Whether checks are to be remembered and their failures counted.
    pub(super) fn is_slow(&self) -> bool {
        self.check_micros() > 0
    }

    /// Whether this is the hash of the password. Takes as long whichever of its bytes are wrong.
    pub(super) fn verify(&self, password: &[u8]) -> Result<Choice, NoMemory> {
        if self.is_slow() && password.len() > LONGEST_SLOW_PASSWORD {
            return Ok(Choice::from(0));
        }
        Ok(match &self.format {
            Format::Sha1(hash) => hash.verify(password),
            Format::Bcrypt(hash) => hash.verify(password),
            Format::Md5Crypt(hash) => hash.verify(password),
            Format::ShaCrypt(hash) => hash.verify(password),
            Format::Pbkdf2(hash) => hash.verify(password),
            Format::Argon2id(hash) => return hash.verify(password),
        })
    }
}

impl Format {
    fn parse(text: &str) -> Result<Format, InvalidPasswordHash> {
        if let Some(parsed) = Sha1::parse(text) {
            return parsed.map(Format::Sha1);
        }
        if let Some(parsed) = Bcrypt::parse(text) {
            return parsed.map(Format::Bcrypt);
        }
        if let Some(parsed) = Md5Crypt::parse(text) {
            return parsed.map(Format::Md5Crypt);
        }
        if let Some(parsed) = ShaCrypt::parse(text) {
            return parsed.map(Format::ShaCrypt);
        }
        if let Some(parsed) = Pbkdf2::parse(text) {
            return parsed.map(Format::Pbkdf2);
        }
        if let Some(parsed) = Argon2id::parse(text) {
            return parsed.map(Format::Argon2id);
        }
        Err(foreign_scheme(text))
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.format())?;
        f.write_str("…")
    }
}

impl Decode for PasswordHash {
    fn blank() -> PasswordHash {
        PasswordHash { text: String::new(), format: Format::Sha1(Sha1::blank()) }
    }

    fn decode(value: &crate::Value) -> Result<PasswordHash, Invalid> {
        PasswordHash::parse(&String::decode(value)?).map_err(|_| Invalid::new("a password's hash is expected"))
    }
}

impl From<PasswordHash> for String {
    fn from(hash: PasswordHash) -> String {
        hash.text
    }
}

/// The same bytes, in constant time; of another length they never are.
fn same(one: &[u8], other: &[u8]) -> Choice {
    one.ct_eq(other)
}

/// Standard base64, padded or not.
fn base64(text: &str) -> Result<Vec<u8>, InvalidPasswordHash> {
    const BASE64: GeneralPurpose = GeneralPurpose::new(
        &STANDARD,
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
    );
    BASE64.decode(text).map_err(|_| InvalidPasswordHash::Damaged)
}

/// A number in decimal digits, without a sign or a leading zero.
fn number(text: &str) -> Result<u32, InvalidPasswordHash> {
    let is_number = !text.is_empty() && !text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = is_number.then(|| text.parse().ok()).flatten();
    number.ok_or(InvalidPasswordHash::Damaged)
}

fn foreign_scheme(text: &str) -> InvalidPasswordHash {
    const SCHEMES: [(&str, &str); 12] = [
        ("$2x$", "faulty bcrypt (`$2x$`)"),
        ("$argon2", "argon2i and argon2d"),
        ("$7$", "scrypt"),
        ("$scrypt$", "scrypt"),
        ("$y$", "yescrypt"),
        ("$gy$", "yescrypt"),
        ("{PLAIN}", "plain text"),
        ("{CRYPT}", "`{CRYPT}`"),
        ("{MD5}", "unsalted MD5"),
        ("{SMD5}", "salted MD5"),
        ("{", "such"),
        ("$", "such"),
    ];
    let known = SCHEMES.iter().find(|(prefix, _)| text.starts_with(prefix));
    known.map_or(InvalidPasswordHash::NotAHash, |(_, name)| InvalidPasswordHash::Unsupported(name))
}
