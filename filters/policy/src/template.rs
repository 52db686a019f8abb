//! Text with holes that each request fills: `{method} {path}`, `{header:x-tenant|none}`.
//!
//! What a request fills in is one value and nothing but text: a header, cookie or parameter that is missing, empty,
//! repeated or holds a control byte is no value, so nobody adds a line to the headers or hides a second value behind a
//! first one.

mod parse;
mod value;

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

pub(crate) use self::parse::is_token;
pub use self::parse::{TemplateError, TemplateErrorKind};
use crate::condition::View;
use crate::{Decode, Env, Invalid};

/// No filled template is longer: a longer one is none.
pub const LONGEST: usize = 4096;

/// A parsed template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    text: String,
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Literal(String),
    Hole { source: Source, fallback: Option<String> },
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// `header:NAME`, in lower case.
    Header(String),
    /// `cookie:NAME`
    Cookie(String),
    /// `query:NAME`, decoded.
    Query(String),
    /// `method`
    Method,
    /// `path`, normalised and without the query.
    Path,
    /// `authority`, as the client wrote it.
    Authority,
    /// `scheme`
    Scheme,
    /// `request-id`: the header `x-request-id`.
    RequestId,
    /// `source-address`, without the port.
    ClientAddress,
    /// `peer`: the URI of the client's certificate.
    Peer,
    /// `time`, as RFC 3339 in UTC, in whole seconds.
    Time,
    /// `unix-seconds`
    UnixSeconds,
    /// `unix-millis`
    UnixMillis,
}

impl Template {
    /// Reads a template.
    pub fn parse(text: &str) -> Result<Template, TemplateError> {
        Ok(Template { text: text.to_owned(), parts: parse::parts(text)? })
    }

    /// The template as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The words for values without a name.
    pub fn words() -> impl Iterator<Item = &'static str> {
        parse::WORDS.into_iter()
    }

    /// What each hole asks for, in order.
    fn sources(&self) -> impl Iterator<Item = &Source> {
        self.parts.iter().filter_map(|part| match part {
            Part::Literal(_) => None,
            Part::Hole { source, .. } => Some(source),
        })
    }

    /// Whether filling it needs all headers rather than single ones: whoever fills several fetches them first.
    pub(crate) fn needs_all(&self) -> bool {
        self.sources().any(|source| matches!(source, Source::Header(_) | Source::Cookie(_) | Source::Scheme))
    }

    /// Fills the holes. None if a value is missing that has no fallback, or if the text gets too long. Never holds a
    /// control byte.
    pub(crate) fn fill(&self, view: &mut View<'_>, env: &mut dyn Env) -> Option<Vec<u8>> {
        let mut filled = Vec::new();
        for part in &self.parts {
            match part {
                Part::Literal(text) => filled.extend(text.as_bytes()),
                Part::Hole { source, fallback } => match value::value(source, view, env) {
                    Some(value) => filled.extend(value),
                    None => filled.extend(fallback.as_ref()?.as_bytes()),
                },
            }
            if filled.len() > LONGEST {
                return None;
            }
        }
        // HTTP/2 knows no white space at the ends of a value.
        Some(filled.trim_ascii().to_vec())
    }
}

impl Decode for Template {
    fn blank() -> Template {
        Template { text: String::new(), parts: Vec::new() }
    }

    fn decode(value: &crate::Value) -> Result<Template, Invalid> {
        Template::parse(&String::decode(value)?).map_err(|error| Invalid::new(error.kind.message()))
    }
}

impl serde::Serialize for Template {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

/// Whether a byte would end a value or change how it is read.
pub(crate) fn is_control(byte: u8) -> bool {
    byte < b' ' || byte == 0x7f
}

#[cfg(test)]
mod tests;
