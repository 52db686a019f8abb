//! What a YAML scalar is, by the core schema of YAML 1.2: `no` and `on` are text.

use granit_parser::{ScalarStyle, Tag};

use super::{Data, Scalar};

/// What a scalar is. Quoted and block scalars are text whatever they look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plain {
    Text,
    Integer(i128),
    Decimal,
    Bool(bool),
}

/// A scalar of an event.
pub(super) fn resolve(text: String, style: ScalarStyle, tag: Option<&Tag>) -> Data {
    let typed = match tag.map(|tag| tag.core_suffix()) {
        Some(Some("bool" | "int" | "float" | "null")) => true,
        Some(_) => false,
        None => style == ScalarStyle::Plain,
    };
    let plain = if typed { plain(&text) } else { Some(Plain::Text) };
    plain.map_or(Data::Null, |plain| Data::Scalar(Scalar { text, plain }))
}

/// What text without quotes is; `None` for null. <https://yaml.org/spec/1.2.2/#1032-tag-resolution>
pub(crate) fn plain(text: &str) -> Option<Plain> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => None,
        "true" | "True" | "TRUE" => Some(Plain::Bool(true)),
        "false" | "False" | "FALSE" => Some(Plain::Bool(false)),
        _ if !text.starts_with(|first: char| first.is_ascii_digit() || "+-.".contains(first)) => Some(Plain::Text),
        _ => Some(number(text).unwrap_or(Plain::Text)),
    }
}

fn number(text: &str) -> Option<Plain> {
    let radix = |prefix, radix| text.strip_prefix(prefix).map(|digits| (digits, radix));
    if let Some((digits, radix)) = radix("0x", 16).or_else(|| radix("0o", 8)) {
        let valid = !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(radix));
        return valid.then(|| i128::from_str_radix(digits, radix).map_or(Plain::Decimal, Plain::Integer));
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Some(Plain::Decimal);
    }
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if !unsigned.is_empty() && digits(unsigned) {
        return Some(text.parse().map_or(Plain::Decimal, Plain::Integer));
    }
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
    let said = !(exponent.is_empty() || whole.is_empty() && fraction.is_empty());
    (said && digits(whole) && digits(fraction) && digits(exponent)).then_some(Plain::Decimal)
}
