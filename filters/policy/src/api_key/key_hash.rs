//! A key's hash, and the file that says whose it is.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::named_secrets::{self, NamedSecret, NamedSecretError, Read};
use crate::{Decode, Invalid, sha256};

/// A key that is shorter may be guessed, now that its hash is fast to compute.
const SHORTEST: usize = 16;

/// The SHA-256 of a key. No salt and no slow function: keys are random, not words that people remember.
///
/// Serialised as 64 digits of base 16. Not printed by `Debug`.
#[derive(Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(into = "String")]
pub struct KeyHash([u8; 32]);

impl KeyHash {
    /// Of the key itself.
    pub fn of_key(key: &[u8]) -> KeyHash {
        KeyHash(sha256(key))
    }

    /// Reads 64 digits of base 16.
    pub fn parse(text: &str) -> Option<KeyHash> {
        let mut hash = [0_u8; 32];
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        if pairs.len() != hash.len() || !rest.is_empty() {
            return None;
        }
        for (byte, [high, low]) in hash.iter_mut().zip(pairs) {
            let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
            *byte = digit(*high)?.checked_shl(4)? | digit(*low)?;
        }
        Some(KeyHash(hash))
    }

    /// For the filter's configuration.
    pub fn to_hex(self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    pub(super) fn digest(self) -> [u8; 32] {
        self.0
    }
}

/// A key as its file has it. Not printed by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub enum GivenKey {
    /// The key itself.
    Plain(String),
    /// All that anybody knows of it here.
    Hashed(KeyHash),
}

impl GivenKey {
    /// Its hash.
    pub fn hash(&self) -> KeyHash {
        match self {
            GivenKey::Plain(key) => KeyHash::of_key(key.as_bytes()),
            GivenKey::Hashed(hash) => *hash,
        }
    }
}

/// Reads a file of keys: a line `CLIENT:KEY` or `CLIENT:{SHA256}HASH` each. A client may have several keys, a key has one
/// client.
pub fn parse_api_keys(text: &str) -> (Vec<NamedSecret<GivenKey>>, Vec<NamedSecretError>) {
    named_secrets::parse(text, read, |known, key| (known.secret.hash() == key.secret.hash()).then_some("the key"))
}

fn read(key: &str) -> Read<GivenKey> {
    match named_secrets::encoding(key) {
        Some(("SHA256", digits)) => {
            let hash = KeyHash::parse(digits).ok_or("not followed by 64 digits from 0 to f")?;
            Ok((GivenKey::Hashed(hash), false))
        }
        Some(_) => Err("not hashed with `{SHA256}`"),
        None => Ok((GivenKey::Plain(key.to_owned()), key.len() < SHORTEST)),
    }
}

impl fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{SHA256}…")
    }
}

impl fmt::Debug for GivenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

impl fmt::Debug for NamedSecret<GivenKey> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}{}", self.line, self.name, if self.weak { " (weak)" } else { "" })
    }
}

impl Decode for KeyHash {
    fn blank() -> KeyHash {
        KeyHash([0; 32])
    }

    fn decode(value: &crate::Value) -> Result<KeyHash, Invalid> {
        KeyHash::parse(&String::decode(value)?).ok_or_else(|| Invalid::new("a SHA-256 in base 16 is expected"))
    }
}

impl From<KeyHash> for String {
    fn from(hash: KeyHash) -> String {
        hash.to_hex()
    }
}

#[cfg(test)]
mod tests {
    use std::format;
    use std::string::String;

    use expect_test::{Expect, expect};

    use super::{KeyHash, parse_api_keys};

    #[track_caller]
    fn check(text: &str, expected: Expect) {
        let (keys, errors) = parse_api_keys(text);
        let keys: String = keys.iter().map(|key| format!("{key:?}\n")).collect();
        let errors: String = errors.iter().map(|error| format!("{error}\n")).collect();
        assert!(!format!("{keys}{errors}").contains("hunter2"));
        expected.assert_eq(&format!("{keys}{errors}"));
    }

    #[test]
    fn a_client_may_have_several_keys_plain_or_hashed() {
        let hash = KeyHash::of_key(b"c2f8e0a5d1b7493e").to_hex();
        check(
            &format!("\u{feff}# shops\r\n\r\nshop:9d8c7b6a5f4e3d2c\r\n  shop:{{SHA256}}{hash}  \r\nmill:a:b\r\n"),
            expect![[r#"
                line 3: shop
                line 4: shop
                line 5: mill (weak)
            "#]],
        );
    }

    #[test]
    fn every_mistake_is_named_by_its_line_and_no_secret_is_shown() {
        let hash = KeyHash::of_key(b"hunter2hunter2hunter2").to_hex();
        check(
            &format!(
                "hunter2\n:hunter2\na\tb:hunter2\nshop:\nshop:{{SHA256}}hunter2\nshop:{{MD5}}hunter2\n\
                 shop:hunter2hunter2hunter2\nmill:{{SHA256}}{hash}\n"
            ),
            expect![[r#"
                line 7: shop
                line 1: the line is no `NAME:SECRET`
                line 2: the name is empty
                line 3: the name contains something other than letters, digits and punctuation of ASCII
                line 4: `shop` has an empty secret
                line 5: the secret of `shop` begins with a word in braces and is not followed by 64 digits from 0 to f
                line 6: the secret of `shop` begins with a word in braces and is not hashed with `{SHA256}`
                line 8: `mill` has the key of line 7
            "#]],
        );
        check(
            "# nobody\n",
            expect![[r#"
            line 1: the file names nobody: nobody could call
        "#]],
        );
    }

    #[test]
    fn a_hash_survives_its_text() {
        let hash = KeyHash::of_key(b"key");
        assert_eq!(KeyHash::parse(&hash.to_hex()), Some(hash));
        assert_eq!(KeyHash::parse(&hash.to_hex().to_uppercase()), Some(hash));
        assert_eq!(KeyHash::parse("+1"), None);
        assert_eq!(KeyHash::parse(&hash.to_hex()[1..]), None);
    }
}
