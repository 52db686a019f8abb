//! A secret that signs, and the file that names it.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use base64::Engine as _;
use hmac::Mac as _;

use crate::named_secrets::{self, NamedSecret, NamedSecretError, Read};
use crate::structured::BASE64;
use crate::{Decode, Invalid};

/// Less than a digest is "strongly discouraged" (RFC 2104, section 3).
const SHORTEST: usize = 32;

/// What the client and the filter know.
///
/// Serialised as base64. Not printed by `Debug`.
#[derive(Clone, PartialEq, Eq, serde::Serialize)]
#[serde(into = "String")]
pub struct SigningSecret(Vec<u8>);

impl SigningSecret {
    /// The bytes themselves.
    pub fn new(bytes: &[u8]) -> SigningSecret {
        SigningSecret(bytes.to_vec())
    }

    /// The HMAC-SHA256 of what is signed: for clients and their tests.
    pub fn sign(&self, base: &[u8]) -> [u8; 32] {
        self.mac().sign(&[base])
    }

    pub(super) fn mac(&self) -> Mac {
        Mac(hmac::Hmac::new_from_slice(&self.0).ok())
    }
}

/// A secret made ready: whatever its length, signing takes as long.
#[derive(Clone)]
pub(super) struct Mac(
    /// Secrets have any length: there is always one.
    Option<hmac::Hmac<sha2::Sha256>>,
);

impl Mac {
    /// The HMAC-SHA256 of some bytes.
    pub(super) fn sign(&self, parts: &[&[u8]]) -> [u8; 32] {
        let Some(mut mac) = self.0.clone() else { return [0; 32] };
        parts.iter().for_each(|part| mac.update(part));
        mac.finalize().into_bytes().into()
    }
}

/// Reads a file of secrets: a line `KEYID:SECRET` or `KEYID:{BASE64}SECRET` each, every id once.
pub fn parse_signing_secrets(text: &str) -> (Vec<NamedSecret<SigningSecret>>, Vec<NamedSecretError>) {
    named_secrets::parse(text, read, |known, key| {
        let id = (known.name == key.name).then_some("the id");
        id.or_else(|| (known.secret == key.secret).then_some("the secret"))
    })
}

fn read(secret: &str) -> Read<SigningSecret> {
    let bytes = match named_secrets::encoding(secret) {
        Some(("BASE64", encoded)) => BASE64.decode(encoded).map_err(|_| "not followed by base64")?,
        Some(_) => return Err("not written in `{BASE64}`"),
        None => secret.as_bytes().to_vec(),
    };
    if bytes.is_empty() {
        return Err("followed by nothing");
    }
    let weak = bytes.len() < SHORTEST;
    Ok((SigningSecret(bytes), weak))
}

impl fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

impl fmt::Debug for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

impl fmt::Debug for NamedSecret<SigningSecret> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}{}", self.line, self.name, if self.weak { " (weak)" } else { "" })
    }
}

impl Decode for SigningSecret {
    fn blank() -> SigningSecret {
        SigningSecret(Vec::new())
    }

    fn decode(value: &crate::Value) -> Result<SigningSecret, Invalid> {
        let bytes = BASE64.decode(String::decode(value)?);
        bytes.map(SigningSecret).map_err(|_| Invalid::new("a secret in base64 is expected"))
    }
}

impl From<SigningSecret> for String {
    fn from(secret: SigningSecret) -> String {
        format!("{}", base64::display::Base64Display::new(&secret.0, &base64::engine::general_purpose::STANDARD))
    }
}

#[cfg(test)]
mod tests {
    use std::format;
    use std::string::String;

    use expect_test::{Expect, expect};

    use super::{SigningSecret, parse_signing_secrets};

    #[track_caller]
    fn check(text: &str, expected: Expect) {
        let (keys, errors) = parse_signing_secrets(text);
        let keys: String = keys.iter().map(|key| format!("{key:?}\n")).collect();
        let errors: String = errors.iter().map(|error| format!("{error}\n")).collect();
        assert!(!format!("{keys}{errors}").contains("hunter2"));
        expected.assert_eq(&format!("{keys}{errors}"));
    }

    #[test]
    fn secrets_are_text_or_base64() {
        check(
            "# shops\nshop:0123456789abcdef0123456789abcdef\r\nmill:{BASE64}AAECAwQFBgcICQoLDA0ODw==\n",
            expect![[r#"
                line 2: shop
                line 3: mill (weak)
            "#]],
        );
        let (keys, _) = parse_signing_secrets("a:{BASE64}aHVudGVyMg\n");
        assert_eq!(keys[0].secret, SigningSecret::new(b"hunter2"));
    }

    #[test]
    fn every_mistake_is_named_by_its_line_and_no_secret_is_shown() {
        check(
            "hunter2\nshop:hunter2\nshop:other\nmill:hunter2\nbank:{BASE64}hunter2!\nbank:{HEX}hunter2\nbank:{BASE64}\n",
            expect![[r#"
                line 2: shop (weak)
                line 1: the line is no `NAME:SECRET`
                line 3: `shop` has the id of line 2
                line 4: `mill` has the secret of line 2
                line 5: the secret of `bank` begins with a word in braces and is not followed by base64
                line 6: the secret of `bank` begins with a word in braces and is not written in `{BASE64}`
                line 7: the secret of `bank` begins with a word in braces and is followed by nothing
            "#]],
        );
    }

    /// RFC 4231, test cases 2 and 6: a short secret, and one that is longer than a block.
    #[test]
    fn signatures_are_those_of_the_rfc() {
        let hex = |bytes: [u8; 32]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let short = SigningSecret::new(b"Jefe").sign(b"what do ya want for nothing?");
        assert_eq!(hex(short), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
        let long = SigningSecret::new(&[0xaa; 131]).sign(b"Test Using Larger Than Block-Size Key - Hash Key First");
        assert_eq!(hex(long), "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    }
}
