//! How single values are read: what each expects, and why it refuses.

use std::net::IpAddr;
use std::time::Duration;

use super::fields::found;
use crate::codes::{self, Code};
use crate::diagnostic::{Diagnostic, Diagnostics, quote};
use crate::mesh::{AccessLog, Address};
use crate::names::Name;
use crate::source::Spanned;
use crate::syntax::tree::{Kind, Scalar};
use crate::units::{Percent, StatusRange, parse_duration};

/// Reads one kind of value.
pub(super) struct Reader<T> {
    /// With its article and an example: ``a duration such as `15s` ``.
    pub(super) expected: &'static str,
    read: fn(&Scalar) -> Result<T, Refusal>,
}

/// Why a value is not accepted.
enum Refusal {
    /// It is not of the expected kind.
    Kind,
    /// It is of the kind, and still not possible.
    Value { code: Code, message: String, help: &'static str },
}

impl<T> Clone for Reader<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Reader<T> {}

impl<T> Reader<T> {
    const fn new(expected: &'static str, read: fn(&Scalar) -> Result<T, Refusal>) -> Self {
        Self { expected, read }
    }

    pub(super) fn read(self, scalar: &Scalar, diagnostics: &mut Diagnostics) -> Option<Spanned<T>> {
        let diagnostic = match (self.read)(scalar) {
            Ok(value) => return Some(Spanned::new(value, scalar.span)),
            Err(Refusal::Kind) => {
                let message = format!("expected {}, found {}", self.expected, found(scalar));
                Diagnostic::error(codes::WRONG_TYPE, scalar.span, message)
            }
            Err(Refusal::Value { code, message, help: "" }) => Diagnostic::error(code, scalar.span, message),
            Err(Refusal::Value { code, message, help }) => Diagnostic::error(code, scalar.span, message).help(help),
        };
        diagnostics.push(diagnostic);
        None
    }
}

fn refuse<T>(scalar: &Scalar, why: &str, help: &'static str) -> Result<T, Refusal> {
    let message = format!("`{}` {why}", quote(&scalar.text));
    Err(Refusal::Value { code: codes::INVALID_VALUE, message, help })
}

/// Text only: a number or a boolean is not meant as text.
fn text(scalar: &Scalar) -> Result<&str, Refusal> {
    if scalar.kind == Kind::Text { Ok(&scalar.text) } else { Err(Refusal::Kind) }
}

/// A whole number between two bounds, both included.
fn within(scalar: &Scalar, low: u32, high: u32) -> Result<u32, Refusal> {
    let Kind::Integer(number) = scalar.kind else { return Err(Refusal::Kind) };
    match u32::try_from(number) {
        Ok(number) if (low..=high).contains(&number) => Ok(number),
        _ if high < u32::MAX => refuse(scalar, &format!("is not between {low} and {high}"), ""),
        _ if number < i128::from(low) => refuse(scalar, &format!("is less than {low}"), ""),
        _ => refuse(scalar, &format!("is more than {high}"), ""),
    }
}

fn port(scalar: &Scalar) -> Result<u16, Refusal> {
    within(scalar, 1, 65_535).and_then(|port| u16::try_from(port).map_err(|_| Refusal::Kind))
}

fn duration(scalar: &Scalar) -> Result<Duration, Refusal> {
    match parse_duration(text(scalar)?) {
        Some(duration) => Ok(duration),
        None => Err(Refusal::Kind),
    }
}

fn positive_duration(scalar: &Scalar) -> Result<Duration, Refusal> {
    let duration = duration(scalar)?;
    if duration.is_zero() { refuse(scalar, "is no time at all", "write at least `1ms`") } else { Ok(duration) }
}

fn name(scalar: &Scalar, slash: bool) -> Result<Name, Refusal> {
    let text = text(scalar)?;
    match Name::new(text).filter(|_| slash || !text.contains('/')) {
        Some(name) => Ok(name),
        None => Err(Refusal::Value {
            code: codes::INVALID_NAME,
            message: format!("`{}` cannot be a name here", quote(text)),
            help: if slash {
                "a node's name has ASCII letters, digits, `.`, `_`, `-` and `/`, at most 253; a letter or digit is first and last"
            } else {
                "a name has ASCII letters, digits, `.`, `_` and `-`, at most 253; a letter or digit is first and last"
            },
        }),
    }
}

/// RFC 9110: the characters of a field name.
fn header_name(scalar: &Scalar) -> Result<String, Refusal> {
    let text = text(scalar)?;
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if !text.is_empty() && text.bytes().all(token) {
        return Ok(text.to_ascii_lowercase());
    }
    Err(Refusal::Value {
        code: codes::INVALID_NAME,
        message: format!("`{}` cannot be the name of a header", quote(text)),
        help: "a header's name has ASCII letters, digits and `-`",
    })
}

fn path(scalar: &Scalar) -> Result<String, Refusal> {
    let text = text(scalar)?;
    if !text.starts_with('/') {
        return refuse(scalar, "is not a path", "a path begins with `/`");
    }
    if text.contains(['?', '#']) {
        return refuse(
            scalar,
            "is more than a path",
            "the query is not part of the path: leave out `?`, `#` and what follows",
        );
    }
    if text.chars().any(|character| character.is_control() || character == ' ') {
        return refuse(scalar, "has characters that no path has", "write spaces as `%20`");
    }
    Ok(text.to_owned())
}

fn host_pattern(scalar: &Scalar) -> Result<String, Refusal> {
    let text = text(scalar)?;
    let exact = text.strip_prefix("*.").unwrap_or(text);
    let named = Name::new(exact).is_some() && !exact.contains('/');
    if text == "*" || named {
        return Ok(text.to_owned());
    }
    refuse(scalar, "is not a host", "write `shop.example`, `*.shop.example` or `*`, without a port")
}

impl Reader<Scalar> {
    /// Any value, to be read later.
    pub(super) const SCALAR: Self = Self::new("a name", |scalar| Ok(scalar.clone()));
}

impl Reader<String> {
    pub(super) const TEXT: Self = Self::new("text", |scalar| {
        let text = text(scalar)?;
        if text.is_empty() || text.chars().any(char::is_control) {
            return refuse(scalar, "is empty or has control characters", "");
        }
        Ok(text.to_owned())
    });
    /// Text, and numbers and booleans as they are written.
    pub(super) const AS_WRITTEN: Self = Self::new("text", |scalar| match scalar.kind {
        Kind::Null => Err(Refusal::Kind),
        _ => Ok(scalar.text.clone()),
    });
    /// The same, at least one character.
    pub(super) const NOT_EMPTY: Self = Self::new("text", |scalar| match scalar.kind {
        Kind::Null => Err(Refusal::Kind),
        _ if scalar.text.is_empty() => {
            refuse(scalar, "is empty: every value begins and ends so", "write `present` instead")
        }
        _ => Ok(scalar.text.clone()),
    });
    pub(super) const FILE: Self = Self::new("a file such as `users.htpasswd`", |scalar| {
        let text = text(scalar)?;
        if text.is_empty() || text.chars().any(char::is_control) { Err(Refusal::Kind) } else { Ok(text.to_owned()) }
    });
    pub(super) const HEADER_NAME: Self = Self::new("the name of a header such as `x-user`", header_name);
    pub(super) const PATH: Self = Self::new("a path such as `/healthz`", path);
    pub(super) const HOST: Self = Self::new("a host such as `*.shop.example`", host_pattern);
}

impl Reader<Name> {
    /// Of a mesh, service or gateway.
    pub(super) const NAME: Self = Self::new("a name", |scalar| name(scalar, false));
    pub(super) const NODE: Self = Self::new("the name of a node", |scalar| name(scalar, true));
}

impl Reader<Duration> {
    pub(super) const DURATION: Self = Self::new("a duration such as `15s`", duration);
    /// Longer than zero.
    pub(super) const POSITIVE: Self = Self::new("a duration such as `15s`", positive_duration);
    pub(super) const DELAY: Self = Self::new("a duration such as `50ms`", |scalar| {
        let duration = positive_duration(scalar)?;
        if duration <= Duration::from_secs(3600) { Ok(duration) } else { refuse(scalar, "is longer than one hour", "") }
    });
}

impl Reader<u32> {
    pub(super) const COUNT: Self = Self::new("a whole number", |scalar| within(scalar, 0, u32::MAX));
    pub(super) const POSITIVE: Self = Self::new("a whole number", |scalar| within(scalar, 1, u32::MAX));
    pub(super) const TRUSTED_HOPS: Self = Self::new("a number from 0 to 16", |scalar| within(scalar, 0, 16));
    pub(super) const ENDPOINT_WEIGHT: Self = Self::new("a weight from 1 to 128", |scalar| within(scalar, 1, 128));
}

impl Reader<u16> {
    pub(super) const PORT: Self = Self::new("a port such as `8080`", port);
    pub(super) const STATUS: Self = Self::new("a status such as `503`", |scalar| {
        within(scalar, 200, 599).and_then(|status| u16::try_from(status).map_err(|_| Refusal::Kind))
    });
}

impl Reader<bool> {
    pub(super) const BOOL: Self = Self::new("a boolean", |scalar| match scalar.kind {
        Kind::Bool(value) => Ok(value),
        _ => Err(Refusal::Kind),
    });
}

impl Reader<Percent> {
    pub(super) const PERCENT: Self = Self::new("a share such as `15` or `0.5`", |scalar| match scalar.kind {
        Kind::Bool(_) | Kind::Null => Err(Refusal::Kind),
        Kind::Text if !scalar.text.starts_with(|first: char| first.is_ascii_digit() || "+-.".contains(first)) => {
            Err(Refusal::Kind)
        }
        _ => Percent::parse(&scalar.text).map_or_else(
            || refuse(scalar, "is not a share", "write 0 to 100 with at most four decimals, as in `12.5`"),
            Ok,
        ),
    });
}

impl Reader<StatusRange> {
    pub(super) const STATUS_RANGE: Self = Self::new("status codes such as `200-299`", |scalar| match scalar.kind {
        Kind::Text | Kind::Integer(_) => StatusRange::parse_inclusive(&scalar.text)
            .map_or_else(|| refuse(scalar, "are not status codes", "write `200-299`, from 100 to 599"), Ok),
        _ => Err(Refusal::Kind),
    });
}

impl Reader<Address> {
    pub(super) const ADDRESS: Self = Self::new("an address such as `10.0.0.1:8080`", |scalar| {
        let text = text(scalar)?;
        Address::parse(text).ok_or_else(|| Refusal::Value {
            code: codes::INVALID_ADDRESS,
            message: format!("`{}` is not an address", quote(text)),
            help: "write an IP address and a port, as in `10.0.0.1:8080` or `[fd00::1]:8080`",
        })
    });
}

impl Reader<IpAddr> {
    pub(super) const IP: Self = Self::new("an IP address such as `0.0.0.0`", |scalar| {
        let text = text(scalar)?;
        text.parse().map_err(|_| Refusal::Value {
            code: codes::INVALID_ADDRESS,
            message: format!("`{}` is not an IP address", quote(text)),
            help: "write it without a port, as in `10.0.0.5` or `::`",
        })
    });
}

impl Reader<AccessLog> {
    pub(super) const ACCESS_LOG: Self = Self::new("`json` or `off`", |scalar| match text(scalar)? {
        "json" => Ok(AccessLog::Json),
        "off" => Ok(AccessLog::Off),
        _ => Err(Refusal::Kind),
    });
}
