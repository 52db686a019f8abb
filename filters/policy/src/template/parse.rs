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
pub(super) const WORDS: [&str; 10] = [
    "method",
    "path",
    "authority",
    "scheme",
    "request-id",
    "source-address",
    "peer",
    "time",
    "unix-seconds",
    "unix-millis",
];

pub(super) fn parts(text: &str) -> Result<Vec<Part>, TemplateError> {
    let wrong = |at: usize, length: usize, kind| TemplateError { at: at..at.saturating_add(length), kind };
    if let Some(at) = text.bytes().position(is_control) {
        return Err(wrong(at, 1, TemplateErrorKind::Control));
    }
    let mut parts = Vec::new();
    let mut literal = String::new();
    let mut rest = text;
    while let Some(found) = place_of(rest, |byte| matches!(byte, b'{' | b'}')) {
        let (before, from_brace) = rest.split_at_checked(found).unwrap_or((rest, ""));
        literal.push_str(before);
        let at = text.len().saturating_sub(from_brace.len());
        if let Some(after) = from_brace.strip_prefix("{{") {
            literal.push('{');
            rest = after;
        } else if let Some(after) = from_brace.strip_prefix("}}") {
            literal.push('}');
            rest = after;
        } else if let Some(inside) = from_brace.strip_prefix('{') {
            let (inside, after) = parted(inside, b'}').ok_or_else(|| wrong(at, 1, TemplateErrorKind::Open))?;
            let (asked, fallback) = match parted(inside, b'|') {
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

// Searching for bytes rather than characters is a fraction of the code.
fn place_of(text: &str, wanted: impl Fn(u8) -> bool) -> Option<usize> {
    text.bytes().position(wanted)
}

fn parted(text: &str, separator: u8) -> Option<(&str, &str)> {
    let at = place_of(text, |byte| byte == separator)?;
    Some((text.get(..at)?, text.get(at.checked_add(1)?..)?))
}

fn source(asked: &str) -> Result<Source, TemplateErrorKind> {
    let Some((kind, name)) = parted(asked, b':') else {
        return Ok(match asked {
            "method" => Source::Method,
            "path" => Source::Path,
            "authority" => Source::Authority,
            "scheme" => Source::Scheme,
            "request-id" => Source::RequestId,
            "source-address" => Source::ClientAddress,
            "peer" => Source::Peer,
            "time" => Source::Time,
            "unix-seconds" => Source::UnixSeconds,
            "unix-millis" => Source::UnixMillis,
            "header" | "cookie" | "query" => return Err(TemplateErrorKind::Unnamed),
            _ => return Err(TemplateErrorKind::Unknown),
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
