//! Texts, files, words of the user's own.

use super::{Readable, Reader, Refusal, as_text, refuse, text};
use crate::shape::{Value, ValueForm};
use crate::syntax::tree::{Kind, Scalar};

/// One line of text, not empty.
pub(crate) const TEXT: Reader<String> = Reader::new(
    &Value {
        name: "text",
        expected: "text",
        form: ValueForm::Text(Some("^[^\\u0000-\\u001f\\u007f]+$")),
        examples: &["shop", "a b, c"],
        commas: false,
    },
    |scalar| {
        let text = text(scalar)?;
        if text.is_empty() || text.chars().any(char::is_control) {
            return refuse(scalar, "is empty or has control characters", "");
        }
        Ok(text.to_owned())
    },
    as_text,
);

/// Any text, line breaks included.
pub(crate) const PROSE: Reader<String> = Reader::new(
    &Value {
        name: "prose",
        expected: "text",
        form: ValueForm::Text(None),
        examples: &["", "a\nb\tc", "{\"a\": 1}"],
        commas: false,
    },
    |scalar| text(scalar).map(str::to_owned),
    as_text,
);

/// Text, and numbers and booleans as they are written.
pub(crate) const AS_WRITTEN: Reader<String> = Reader::new(
    &Value {
        name: "any-text",
        expected: "text",
        form: ValueForm::AnyText,
        examples: &["on", "1.50", "", "ä\u{1F600}\n"],
        commas: false,
    },
    |scalar| match scalar.kind {
        Kind::Null => Err(Refusal::Kind),
        _ => Ok(scalar.text.to_string()),
    },
    as_text,
);

/// The same, at least one character.
pub(crate) const NOT_EMPTY: Reader<String> = Reader::new(
    &Value {
        name: "any-text-not-empty",
        expected: "text",
        form: ValueForm::AnyText,
        examples: &["on", "v1"],
        commas: false,
    },
    |scalar| match scalar.kind {
        Kind::Null => Err(Refusal::Kind),
        _ if scalar.text.is_empty() => {
            refuse(scalar, "is empty: every value begins and ends so", "write `present` instead")
        }
        _ => Ok(scalar.text.to_string()),
    },
    as_text,
);

/// A file, relative to the file that names it.
pub(crate) const FILE: Reader<String> = Reader::new(
    &Value {
        name: "file",
        expected: "a file such as `users.htpasswd`",
        form: ValueForm::Text(Some("^[^\\u0000-\\u001f\\u007f]+$")),
        examples: &["users.htpasswd", "tls/cert.pem"],
        commas: false,
    },
    |scalar| {
        let text = text(scalar)?;
        if text.is_empty() || text.chars().any(char::is_control) { Err(Refusal::Kind) } else { Ok(text.to_owned()) }
    },
    as_text,
);

/// A file as the sidecar sees it: an absolute path on its machine.
pub(crate) const SIDECAR_FILE: Reader<String> = Reader::new(
    &Value {
        name: "sidecar-file",
        expected: "a path such as `/etc/tls/cert.pem`",
        form: ValueForm::Text(Some("^/[^\\u0000-\\u001f\\u007f]*$")),
        examples: &["/etc/tls/cert.pem", "/dev/stdout"],
        commas: false,
    },
    |scalar| {
        let text = text(scalar)?;
        if !text.starts_with('/') || text.chars().any(char::is_control) {
            return refuse(scalar, "is no absolute path", "write where the sidecar finds the file, beginning with `/`");
        }
        Ok(text.to_owned())
    },
    as_text,
);

/// What the user calls something: ASCII letters, digits, `.`, `_`, `-`.
pub(crate) const LABEL: Reader<String> = Reader::new(
    &Value {
        name: "label",
        expected: "a word such as `v1`",
        form: ValueForm::Text(Some("^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$")),
        examples: &["v1", "blue-2", "canary_a"],
        commas: true,
    },
    label,
    as_text,
);

/// A sha256 digest in lower-case hexadecimal.
pub(crate) const SHA256: Reader<String> = Reader::new(
    &Value {
        name: "sha256",
        expected: "a sha256 digest: 64 digits 0-9 and a-f",
        form: ValueForm::Text(Some("^[0-9a-f]{64}$")),
        examples: &["e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],
        commas: false,
    },
    |scalar| {
        let text = text(scalar)?;
        let digest = text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if digest { Ok(text.to_owned()) } else { Err(Refusal::Kind) }
    },
    as_text,
);

fn label(scalar: &Scalar) -> Result<String, Refusal> {
    let text = text(scalar)?;
    let edge = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let inner = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-".contains(byte);
    let bytes = text.as_bytes();
    if bytes.len() <= 253 && edge(bytes.first()) && edge(bytes.last()) && bytes.iter().all(inner) {
        return Ok(text.to_owned());
    }
    refuse(
        scalar,
        "cannot be a name here",
        "write ASCII letters, digits, `.`, `_` and `-`; a letter or digit is first and last",
    )
}

impl Readable for String {
    const READER: Reader<Self> = TEXT;
}
