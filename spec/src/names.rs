//! What may be a name: of a mesh, a service, a node, a gateway.

use std::borrow::Cow;
use std::fmt;

/// The name of a mesh, node or gateway, or the host name of a service.
///
/// ASCII letters, digits, `.`, `_`, `-` and (nodes only: ECS ids hold them) `/`; 1 to 253 bytes;
/// begins and ends with a letter or digit. Kept as written; [`Name::key`] compares.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(String);

impl Name {
    /// `None` when the text breaks the rules above.
    pub fn new(text: &str) -> Option<Self> {
        let edge = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
        let inner = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-/".contains(byte);
        let bytes = text.as_bytes();
        let valid = bytes.len() <= 253 && edge(bytes.first()) && edge(bytes.last()) && bytes.iter().all(inner);
        (valid && !text.contains("//") && !text.contains("..") && !text.contains("/./")).then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As [`Name::key`], without a copy of what is in lower case.
    pub fn folded(&self) -> Cow<'_, str> {
        match self.0.bytes().any(|byte| byte.is_ascii_uppercase()) {
            true => Cow::Owned(self.key()),
            false => Cow::Borrowed(&self.0),
        }
    }

    /// Lower case: names that differ in case only are the same to Envoy's host matching.
    pub fn key(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

impl fmt::Display for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, formatter)
    }
}
