//! How templates are written, and what can be wrong with one.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;

use super::{Part, Source, is_control};

/// What is wrong with a template, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateError {
    /// The bytes of the template that are wrong.
    pub at: Range<usize>,
    /// What is wrong with them.
    pub kind: TemplateErrorKind,
}

/// A way in which a template is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TemplateErrorKind {
    /// `{` without `}`.
    Open,
    /// `}` without `{`.
    Close,
    /// A value nobody knows.
    Unknown,
    /// `header:`, `cookie:` or `query:` without a name.
    Unnamed,
    /// A name that no header, cookie or parameter has.
    Name,
    /// A line break or another control character.
    Control,
}

impl TemplateErrorKind {
    /// In words.
    pub fn message(self) -> &'static str {
        match self {
            TemplateErrorKind::Open => "this `{` is never closed; a plain brace is written `{{`",
            TemplateErrorKind::Close => "this `}` closes nothing; a plain brace is written `}}`",
            TemplateErrorKind::Unknown => "nothing is called this in a template",
            TemplateErrorKind::Unnamed => "a name is expected after the colon",
            TemplateErrorKind::Name => "this is not a name",
            TemplateErrorKind::Control => "a header value has no control characters",
        }
    }
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.message())
    }
}

impl core::error::Error for TemplateError {}

/// The words for values without a name.
pub(super) const WORDS: [(&str, Source); 10] = [
    ("method", Source::Method),
    ("path", Source::Path),
    ("authority", Source::Authority),
    ("scheme", Source::Scheme),
    ("request-id", Source::RequestId),
    ("source-address", Source::ClientAddress),
    ("peer", Source::Peer),
    ("time", Source::Time),
    ("unix-seconds", Source::UnixSeconds),
    ("unix-millis", Source::UnixMillis),
];

pub(super) fn parts(text: &str) -> Result<Vec<Part>, TemplateError> {
    let wrong = |at: usize, length: usize, kind| TemplateError { at: at..at.saturating_add(length), kind };
    if let Some(at) = text.bytes().position(is_control) {
        return Err(wrong(at, 1, TemplateErrorKind::Control));
    }
    let mut parts = Vec::new();
    let mut literal = String::new();
    let mut rest = text;
    while let Some(found) = rest.find(['{', '}']) {
        let (before, from_brace) = rest.split_at(found);
        literal.push_str(before);
        let at = text.len().saturating_sub(from_brace.len());
        if let Some(after) = from_brace.strip_prefix("{{") {
            literal.push('{');
            rest = after;
        } else if let Some(after) = from_brace.strip_prefix("}}") {
            literal.push('}');
            rest = after;
        } else if let Some(inside) = from_brace.strip_prefix('{') {
            let (inside, after) = inside.split_once('}').ok_or_else(|| wrong(at, 1, TemplateErrorKind::Open))?;
            let (asked, fallback) = match inside.split_once('|') {
                Some((asked, fallback)) => (asked, Some(fallback.to_owned())),
                None => (inside, None),
            };
            let source = source(asked).map_err(|kind| wrong(at.saturating_add(1), asked.len(), kind))?;
            if !literal.is_empty() {
                parts.push(Part::Literal(core::mem::take(&mut literal)));
            }
            parts.push(Part::Hole { source, fallback });
            rest = after;
        } else {
            return Err(wrong(at, 1, TemplateErrorKind::Close));
        }
    }
    literal.push_str(rest);
    if !literal.is_empty() {
        parts.push(Part::Literal(literal));
    }
    Ok(parts)
}

fn source(asked: &str) -> Result<Source, TemplateErrorKind> {
    let Some((kind, name)) = asked.split_once(':') else {
        let word = WORDS.into_iter().find(|(word, _)| *word == asked);
        return word.map(|(_, source)| source).ok_or(match asked {
            "header" | "cookie" | "query" => TemplateErrorKind::Unnamed,
            _ => TemplateErrorKind::Unknown,
        });
    };
    let named: fn(String) -> Source = match kind {
        "header" => Source::Header,
        "cookie" => Source::Cookie,
        "query" => Source::Query,
        _ => return Err(TemplateErrorKind::Unknown),
    };
    if name.is_empty() {
        return Err(TemplateErrorKind::Unnamed);
    }
    // A parameter's name is compared decoded, so it may hold anything.
    if kind != "query" && !name.bytes().all(is_token) {
        return Err(TemplateErrorKind::Name);
    }
    let name = if kind == "header" { name.to_ascii_lowercase() } else { name.to_owned() };
    Ok(named(name))
}

/// RFC 9110, 5.6.2: what names of headers and cookies are made of.
pub(crate) fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
