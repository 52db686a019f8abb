//! What a YAML scalar is, by the core schema of YAML 1.2: `no` and `on` are text.

use granit_parser::{ScalarStyle, Tag};

use super::tree::{Kind, Scalar};
use crate::source::Span;

/// A scalar of an event. Quoted and block scalars are text whatever they look like.
pub(super) fn resolve(text: &str, style: ScalarStyle, tag: Option<&Tag>, span: Span) -> Scalar {
    let kind = match tag.map(|tag| tag.core_suffix()) {
        Some(Some("bool" | "int" | "float" | "null")) => plain(text),
        Some(_) => Kind::Text,
        None if style == ScalarStyle::Plain => plain(text),
        None => Kind::Text,
    };
    Scalar { kind, text: text.to_owned(), span }
}

impl Scalar {
    pub(super) fn is_null(&self) -> bool {
        self.kind == Kind::Null
    }
}

/// <https://yaml.org/spec/1.2.2/#1032-tag-resolution>
fn plain(text: &str) -> Kind {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Kind::Null,
        "true" | "True" | "TRUE" => Kind::Bool(true),
        "false" | "False" | "FALSE" => Kind::Bool(false),
        _ => number(text).unwrap_or(Kind::Text),
    }
}

fn number(text: &str) -> Option<Kind> {
    let radix = |prefix, radix| text.strip_prefix(prefix).map(|digits| (digits, radix));
    if let Some((digits, radix)) = radix("0x", 16).or_else(|| radix("0o", 8)) {
        let valid = !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(radix));
        return valid.then(|| i128::from_str_radix(digits, radix).map_or(Kind::Decimal, Kind::Integer));
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Some(Kind::Decimal);
    }
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if !unsigned.is_empty() && digits(unsigned) {
        return Some(text.parse().map_or(Kind::Decimal, Kind::Integer));
    }
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
    let said = !(exponent.is_empty() || whole.is_empty() && fraction.is_empty());
    (said && digits(whole) && digits(fraction) && digits(exponent)).then_some(Kind::Decimal)
}
