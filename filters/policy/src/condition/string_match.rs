//! How a value is compared: without regular expressions, whose time and size cannot be bounded.

use alloc::string::String;
use alloc::vec::Vec;

use serde::Serialize;

use crate::decode::config;
use crate::{Decode, Invalid};

/// What a value must be like, byte for byte.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StringMatch {
    /// The whole value.
    Exact(String),
    /// How the value starts.
    Prefix(String),
    /// How the value ends.
    Suffix(String),
    /// What stands somewhere in the value.
    Contains(String),
    /// The whole value is one of these.
    OneOf(Vec<String>),
    /// A whole number.
    Range(NumberRange),
    /// Any value.
    Present,
}

config! {
    /// Whole numbers.
    pub struct NumberRange {
        /// The first.
        pub start: i64,
        /// The first that is not in it.
        pub end: i64,
    }
}

impl StringMatch {
    /// Whether the value is so.
    pub(crate) fn matches(&self, value: &[u8], ignore_case: bool) -> bool {
        match self {
            StringMatch::Exact(exact) => is(value, exact, ignore_case),
            StringMatch::Prefix(prefix) => {
                value.get(..prefix.len()).is_some_and(|start| is(start, prefix, ignore_case))
            }
            StringMatch::Suffix(suffix) => {
                let start = value.len().checked_sub(suffix.len());
                start.and_then(|start| value.get(start..)).is_some_and(|end| is(end, suffix, ignore_case))
            }
            StringMatch::Contains(part) if part.is_empty() => true,
            StringMatch::Contains(part) => value.windows(part.len()).any(|window| is(window, part, ignore_case)),
            StringMatch::OneOf(values) => values.iter().any(|known| is(value, known, ignore_case)),
            StringMatch::Range(range) => {
                number(value).is_some_and(|number| range.start <= number && number < range.end)
            }
            StringMatch::Present => true,
        }
    }
}

fn is(value: &[u8], expected: &str, ignore_case: bool) -> bool {
    if ignore_case { value.eq_ignore_ascii_case(expected.as_bytes()) } else { value == expected.as_bytes() }
}

/// Decimal digits after at most one `-`: no spaces, no `+`, nothing that another reader might take for another number.
fn number(value: &[u8]) -> Option<i64> {
    let digits = value.strip_prefix(b"-").unwrap_or(value);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    core::str::from_utf8(value).ok()?.parse().ok()
}

impl Decode for StringMatch {
    fn blank() -> StringMatch {
        StringMatch::Present
    }

    fn decode(value: &crate::Value) -> Result<StringMatch, Invalid> {
        if value.as_str() == Some("present") {
            return Ok(StringMatch::Present);
        }
        let (variant, value) = crate::decode::variant(value)?;
        match variant {
            "exact" => Ok(StringMatch::Exact(Decode::decode(value)?)),
            "prefix" => Ok(StringMatch::Prefix(Decode::decode(value)?)),
            "suffix" => Ok(StringMatch::Suffix(Decode::decode(value)?)),
            "contains" => Ok(StringMatch::Contains(Decode::decode(value)?)),
            "one_of" => Ok(StringMatch::OneOf(Decode::decode(value)?)),
            "range" => Ok(StringMatch::Range(Decode::decode(value)?)),
            _ => {
                Err(Invalid::new("`exact`, `prefix`, `suffix`, `contains`, `one_of`, `range` or `present` is expected"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::String;

    use super::{NumberRange, StringMatch};

    #[test]
    fn numbers_are_read_in_one_way_only() {
        let small = StringMatch::Range(NumberRange { start: -5, end: 10 });
        for number in ["-5", "0", "9", "007"] {
            assert!(small.matches(number.as_bytes(), false), "{number}");
        }
        for other in ["10", "-6", "", "-", "+1", " 1", "1 ", "1.0", "0x1", "--1", "99999999999999999999", "\u{661}"] {
            assert!(!small.matches(other.as_bytes(), false), "{other}");
        }
    }

    #[test]
    fn every_value_contains_nothing() {
        let nothing = StringMatch::Contains(String::new());
        assert!(nothing.matches(b"", false) && nothing.matches(b"a", true));
    }
}
