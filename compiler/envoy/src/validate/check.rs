//! Applies one rule to one value, and says in words what it asks.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::fmt;

use prost_reflect::{MapKey, ReflectMessage, Value};

use super::rules::Test;
use crate::tree::{key_text, nanoseconds};

/// What limits compare. Durations are whole nanoseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Number {
    Integer(i128),
    Float(f64),
    Duration(i128),
}

impl Number {
    pub(crate) fn of(value: &Value) -> Option<Self> {
        Some(match value {
            Value::I32(value) => Number::Integer(i128::from(*value)),
            Value::I64(value) => Number::Integer(i128::from(*value)),
            Value::U32(value) => Number::Integer(i128::from(*value)),
            Value::U64(value) => Number::Integer(i128::from(*value)),
            Value::F32(value) => Number::Float(f64::from(*value)),
            Value::F64(value) => Number::Float(*value),
            Value::Message(message) if message.descriptor().full_name() == "google.protobuf.Duration" => {
                Number::Duration(nanoseconds(message))
            }
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
pub(crate) fn check(test: &Test, value: &Value) -> Result<(), String> {
    match test {
        Test::Less(limit) => compare(value, *limit, "less than", &[Ordering::Less]),
        Test::AtMost(limit) => compare(value, *limit, "at most", &[Ordering::Less, Ordering::Equal]),
        Test::Greater(limit) => compare(value, *limit, "greater than", &[Ordering::Greater]),
        Test::AtLeast(limit) => compare(value, *limit, "at least", &[Ordering::Greater, Ordering::Equal]),
        Test::Constant(constant) => need(constant == value, || format!("must be `{constant}`")),
        Test::In(values) => {
            let allowed = values.iter().any(|(allowed, _)| allowed == value);
            need(allowed, || format!("must be one of {}", list(values)))
        }
        Test::NotIn(values) => {
            let refused = values.iter().any(|(refused, _)| refused == value);
            need(!refused, || format!("must be none of {}", list(values)))
        }
        Test::Defined(descriptor) => {
            let defined = value.as_enum_number().is_none_or(|number| descriptor.get_value(number).is_some());
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
            let starts = value.as_str().is_none_or(|text| text.starts_with(prefix));
            need(starts, || format!("must start with `{prefix}`"))
        }
        Test::Suffix(suffix) => {
            let ends = value.as_str().is_none_or(|text| text.ends_with(suffix));
            need(ends, || format!("must end with `{suffix}`"))
        }
        Test::Pattern(pattern) => {
            let matches = value.as_str().is_none_or(|text| pattern.is_match(text));
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
pub(crate) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Bool(value) => !value,
        Value::I32(value) => *value == 0,
        Value::I64(value) => *value == 0,
        Value::U32(value) => *value == 0,
        Value::U64(value) => *value == 0,
        Value::F32(value) => *value == 0.0,
        Value::F64(value) => *value == 0.0,
        Value::String(value) => value.is_empty(),
        Value::Bytes(value) => value.is_empty(),
        Value::EnumNumber(value) => *value == 0,
        Value::Message(message) => message.fields().next().is_none(),
        Value::List(items) => items.is_empty(),
        Value::Map(entries) => entries.is_empty(),
    }
}

/// The keys of a map, each with its path.
pub(crate) fn keys(path: &str, value: &Value) -> Vec<(String, Value)> {
    let Value::Map(entries) = value else { return vec![] };
    let sorted: BTreeSet<&MapKey> = entries.keys().collect();
    sorted.into_iter().map(|key| (format!("{path}[{:?}]", key_text(key)), Value::from(key.clone()))).collect()
}

/// What cannot be compared (NaN) breaks no limit, as in Envoy.
fn compare(value: &Value, limit: Number, words: &str, allowed: &[Ordering]) -> Result<(), String> {
    let Some(value) = Number::of(value) else { return Ok(()) };
    let holds = value.compare(limit).is_none_or(|ordering| allowed.contains(&ordering));
    need(holds, || format!("must be {words} {limit}, is {value}"))
}

fn need(holds: bool, message: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(message()) }
}

fn characters(value: &Value) -> u64 {
    match value {
        Value::String(text) => text.chars().count() as u64,
        other => bytes(other),
    }
}

fn bytes(value: &Value) -> u64 {
    match value {
        Value::String(text) => text.len() as u64,
        Value::Bytes(bytes) => bytes.len() as u64,
        _ => 0,
    }
}

fn items(value: &Value) -> u64 {
    match value {
        Value::List(items) => items.len() as u64,
        Value::Map(entries) => entries.len() as u64,
        _ => 0,
    }
}

fn all_different(value: &Value) -> bool {
    let Value::List(items) = value else { return true };
    let distinct: BTreeSet<String> = items.iter().map(Value::to_string).collect();
    distinct.len() == items.len()
}

fn list(values: &[(Value, String)]) -> String {
    values.iter().map(|(_, name)| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn count(number: u64, thing: &str) -> String {
    if number == 1 { format!("1 {thing}") } else { format!("{number} {thing}s") }
}
