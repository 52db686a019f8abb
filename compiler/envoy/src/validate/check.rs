//! Applies one rule to one value, and says in words what it asks.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::fmt;

use prost_reflect::Value;

use super::rules::Test;
use crate::schema::{self, Form};
use crate::view::{Content, Datum, Key};

/// What limits compare. Durations are whole nanoseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Number {
    Integer(i128),
    Float(f64),
    Duration(i128),
}

impl Number {
    /// The limit that a rule writes.
    pub(crate) fn of_rule(value: &Value) -> Option<Self> {
        Some(match value {
            Value::I32(value) => Number::Integer(i128::from(*value)),
            Value::I64(value) => Number::Integer(i128::from(*value)),
            Value::U32(value) => Number::Integer(i128::from(*value)),
            Value::U64(value) => Number::Integer(i128::from(*value)),
            Value::F32(value) => Number::Float(f64::from(*value)),
            Value::F64(value) => Number::Float(*value),
            Value::Message(duration) => {
                let seconds = duration.get_field_by_name("seconds")?.as_i64()?;
                let nanos = duration.get_field_by_name("nanos")?.as_i32()?;
                Number::Duration(i128::from(seconds) * 1_000_000_000 + i128::from(nanos))
            }
            _ => return None,
        })
    }

    fn of(value: &Content<'_, '_>) -> Option<Self> {
        let Content::One(value) = value else { return None };
        Some(match value {
            Datum::Small(value) | Datum::Signed(value) => Number::Integer(i128::from(*value)),
            Datum::Unsigned(value) => Number::Integer(i128::from(*value)),
            Datum::Float(value) => Number::Float(f64::from(*value)),
            Datum::Double(value) => Number::Float(*value),
            Datum::Message(view) if view.layout.form == Form::Duration => Number::Duration(view.nanoseconds()),
            _ => return None,
        })
    }

    fn compare(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Number::Integer(one), Number::Integer(two)) | (Number::Duration(one), Number::Duration(two)) => {
                Some(one.cmp(&two))
            }
            (Number::Float(one), Number::Float(two)) => one.partial_cmp(&two),
            _ => None,
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Number::Integer(value) => write!(f, "{value}"),
            Number::Float(value) => write!(f, "{value}"),
            Number::Duration(nanos) if nanos % 1_000_000_000 == 0 => write!(f, "{}s", nanos / 1_000_000_000),
            Number::Duration(nanos) if nanos % 1_000_000 == 0 => write!(f, "{}ms", nanos / 1_000_000),
            Number::Duration(nanos) => write!(f, "{nanos}ns"),
        }
    }
}

/// `Err` says what the value must be.
pub(crate) fn check(test: &Test, value: &Content<'_, '_>) -> Result<(), String> {
    match test {
        Test::Less(limit) => compare(value, *limit, "less than", &[Ordering::Less]),
        Test::AtMost(limit) => compare(value, *limit, "at most", &[Ordering::Less, Ordering::Equal]),
        Test::Greater(limit) => compare(value, *limit, "greater than", &[Ordering::Greater]),
        Test::AtLeast(limit) => compare(value, *limit, "at least", &[Ordering::Greater, Ordering::Equal]),
        Test::Constant(constant) => need(is(constant, value), || format!("must be `{constant}`")),
        Test::In(values) => {
            let allowed = values.iter().any(|(allowed, _)| is(allowed, value));
            need(allowed, || format!("must be one of {}", list(values)))
        }
        Test::NotIn(values) => {
            let refused = values.iter().any(|(refused, _)| is(refused, value));
            need(!refused, || format!("must be none of {}", list(values)))
        }
        Test::Defined(descriptor) => {
            let defined = match value {
                Content::One(Datum::Enum(index, number)) => schema::value_name(*index, *number).is_some(),
                _ => true,
            };
            need(defined, || format!("must be a value of `{}`", descriptor.name()))
        }
        Test::MinLength(least) => {
            let length = characters(value);
            need(length >= *least, || format!("must have at least {}, has {length}", count(*least, "character")))
        }
        Test::MaxLength(most) => {
            let length = characters(value);
            need(length <= *most, || format!("must have at most {}, has {length}", count(*most, "character")))
        }
        Test::MinBytes(least) => {
            let length = bytes(value);
            need(length >= *least, || format!("must have at least {}, has {length}", count(*least, "byte")))
        }
        Test::MaxBytes(most) => {
            let length = bytes(value);
            need(length <= *most, || format!("must have at most {}, has {length}", count(*most, "byte")))
        }
        Test::Prefix(prefix) => {
            let starts = text(value).is_none_or(|text| text.starts_with(prefix));
            need(starts, || format!("must start with `{prefix}`"))
        }
        Test::Suffix(suffix) => {
            let ends = text(value).is_none_or(|text| text.ends_with(suffix));
            need(ends, || format!("must end with `{suffix}`"))
        }
        Test::Pattern(pattern) => {
            let matches = text(value).is_none_or(|text| pattern.is_match(text));
            need(matches, || format!("must match `{pattern}`"))
        }
        Test::MinItems(least) => {
            let length = items(value);
            need(length >= *least, || format!("must have at least {}, has {length}", count(*least, "item")))
        }
        Test::MaxItems(most) => {
            let length = items(value);
            need(length <= *most, || format!("must have at most {}, has {length}", count(*most, "item")))
        }
        Test::Unique => need(all_different(value), || "must not have the same item twice".to_owned()),
        Test::Items(_) | Test::Keys(_) | Test::Values(_) => {
            unreachable!("rules of parts are applied to the parts")
        }
    }
}

/// A value that `ignore_empty` exempts.
pub(crate) fn is_empty(value: &Content<'_, '_>) -> bool {
    match value {
        Content::List(_, parts) => parts.is_empty(),
        Content::Map(_, entries) => entries.is_empty(),
        Content::One(value) => value.is_default(),
    }
}

pub(crate) fn of_key(key: Key<'_>) -> Datum<'_> {
    match key {
        Key::Bool(key) => Datum::Bool(key),
        Key::Signed(key) => Datum::Signed(key),
        Key::Unsigned(key) => Datum::Unsigned(key),
        Key::Text(key) => Datum::Text(key),
    }
}

/// What cannot be compared (NaN) breaks no limit, as in Envoy.
fn compare(value: &Content<'_, '_>, limit: Number, words: &str, allowed: &[Ordering]) -> Result<(), String> {
    let Some(value) = Number::of(value) else { return Ok(()) };
    let holds = value.compare(limit).is_none_or(|ordering| allowed.contains(&ordering));
    need(holds, || format!("must be {words} {limit}, is {value}"))
}

fn need(holds: bool, message: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(message()) }
}

/// Whether this is the value that a rule names.
fn is(named: &Value, value: &Content<'_, '_>) -> bool {
    let Content::One(value) = value else { return false };
    match (named, value) {
        (Value::Bool(named), Datum::Bool(value)) => named == value,
        (Value::String(named), Datum::Text(value)) => named == value,
        (Value::Bytes(named), Datum::Bytes(value)) => named == value,
        (Value::EnumNumber(named), Datum::Enum(_, value)) => named == value,
        (named, _) => match (Number::of_rule(named), Number::of(&Content::One(*value))) {
            (Some(named), Some(value)) => named.compare(value) == Some(Ordering::Equal),
            _ => false,
        },
    }
}

fn text<'a>(value: &Content<'a, '_>) -> Option<&'a str> {
    match value {
        Content::One(Datum::Text(text)) => Some(text),
        _ => None,
    }
}

fn characters(value: &Content<'_, '_>) -> u64 {
    text(value).map_or_else(|| bytes(value), |text| text.chars().count() as u64)
}

fn bytes(value: &Content<'_, '_>) -> u64 {
    match value {
        Content::One(Datum::Text(text)) => text.len() as u64,
        Content::One(Datum::Bytes(bytes)) => bytes.len() as u64,
        _ => 0,
    }
}

fn items(value: &Content<'_, '_>) -> u64 {
    match value {
        Content::List(_, parts) => parts.len() as u64,
        Content::Map(_, entries) => entries.len() as u64,
        Content::One(_) => 0,
    }
}

/// Equal values have equal encodings: one encoder wrote them.
fn all_different(value: &Content<'_, '_>) -> bool {
    let Content::List(_, parts) = value else { return true };
    let distinct: BTreeSet<_> = parts.iter().collect();
    distinct.len() == parts.len()
}

fn list(values: &[(Value, String)]) -> String {
    values.iter().map(|(_, name)| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn count(number: u64, thing: &str) -> String {
    if number == 1 { format!("1 {thing}") } else { format!("{number} {thing}s") }
}
