//! A message as an ordered tree of plain values: protobuf's JSON mapping, before any syntax.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use prost::{Message, Name};
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MapKey, ReflectMessage, Value};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

use crate::schema::{self, OPENED_DEPTH};

/// The whole numbers that a double holds exactly, and that Envoy's YAML reader keeps as numbers.
const MAX_EXACT: f64 = 9_007_199_254_740_991.0;

/// A value as JSON and YAML know it. Map keys keep their order.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Tree {
    Null,
    Bool(bool),
    Integer(i64),
    Float(f64),
    Text(String),
    List(Vec<Tree>),
    Map(Vec<(String, Tree)>),
}

/// Fields in declaration order under their proto names, map keys sorted, `Any` expanded.
pub(crate) fn tree<M: Name + Message>(message: &M) -> Tree {
    match schema::dynamic(message) {
        Some(message) => of_message(&message, 0),
        None => packed(M::type_url(), &message.encode_to_vec()),
    }
}

fn of_message(message: &DynamicMessage, depth: usize) -> Tree {
    let descriptor = message.descriptor();
    match descriptor.full_name() {
        "google.protobuf.Any" => of_any(message, depth),
        "google.protobuf.Duration" => duration(message),
        "google.protobuf.Timestamp" => timestamp(message),
        "google.protobuf.Struct" | "google.protobuf.ListValue" => match descriptor.get_field(1) {
            Some(field) => of_value(&field, &message.get_field(&field), depth),
            None => Tree::Null,
        },
        "google.protobuf.Value" => match message.fields().next() {
            Some((field, value)) => of_value(&field, value, depth),
            None => Tree::Null,
        },
        name if is_wrapper(name) => match descriptor.get_field(1) {
            Some(field) => of_value(&field, &message.get_field(&field), depth),
            None => Tree::Null,
        },
        _ => Tree::Map(of_fields(message, depth)),
    }
}

fn of_fields(message: &DynamicMessage, depth: usize) -> Vec<(String, Tree)> {
    schema::set_fields(message)
        .into_iter()
        .map(|(field, value)| (field.name().to_owned(), of_value(&field, value, depth)))
        .collect()
}

fn of_value(field: &FieldDescriptor, value: &Value, depth: usize) -> Tree {
    let kind = field.kind();
    match value {
        Value::List(items) => Tree::List(items.iter().map(|item| of_scalar(&kind, item, depth)).collect()),
        Value::Map(entries) => match &kind {
            Kind::Message(entry) => of_map(&entry.map_entry_value_field().kind(), entries.iter().collect(), depth),
            _ => Tree::Null,
        },
        single => of_scalar(&kind, single, depth),
    }
}

fn of_map(kind: &Kind, mut entries: Vec<(&MapKey, &Value)>, depth: usize) -> Tree {
    entries.sort_by_key(|(key, _)| *key);
    Tree::Map(entries.into_iter().map(|(key, value)| (key_text(key), of_scalar(kind, value, depth))).collect())
}

fn of_scalar(kind: &Kind, value: &Value, depth: usize) -> Tree {
    match value {
        Value::Bool(value) => Tree::Bool(*value),
        Value::I32(value) => Tree::Integer(i64::from(*value)),
        Value::U32(value) => Tree::Integer(i64::from(*value)),
        Value::I64(value) => Tree::Text(value.to_string()),
        Value::U64(value) => Tree::Text(value.to_string()),
        Value::F32(value) => float(shortest(*value)),
        Value::F64(value) => float(*value),
        Value::String(value) => Tree::Text(value.clone()),
        Value::Bytes(value) => Tree::Text(BASE64.encode(value)),
        Value::EnumNumber(number) => enum_name(kind, *number),
        Value::Message(message) => of_message(message, depth + 1),
        Value::List(_) | Value::Map(_) => unreachable!("protobuf nests neither lists nor maps without a message"),
    }
}

fn of_any(any: &DynamicMessage, depth: usize) -> Tree {
    let text = |number| any.get_field_by_number(number).map(|value| value.into_owned());
    let url = match text(1) {
        Some(Value::String(url)) if !url.is_empty() => url,
        _ => return Tree::Map(vec![]),
    };
    let inner = if depth < OPENED_DEPTH { schema::unpack(any) } else { None };
    let Some(inner) = inner else {
        let bytes = text(2).and_then(|value| value.as_bytes().cloned()).unwrap_or_default();
        return packed(url, &bytes);
    };
    let mut entries = vec![("@type".to_owned(), Tree::Text(url))];
    if is_well_known(inner.descriptor().full_name()) {
        entries.push(("value".to_owned(), of_message(&inner, depth + 1)));
    } else {
        entries.extend(of_fields(&inner, depth + 1));
    }
    Tree::Map(entries)
}

/// What cannot be opened is shown as it is carried.
fn packed(url: String, bytes: &[u8]) -> Tree {
    Tree::Map(vec![("@type".to_owned(), Tree::Text(url)), ("value".to_owned(), Tree::Text(BASE64.encode(bytes)))])
}

fn enum_name(kind: &Kind, number: i32) -> Tree {
    let Kind::Enum(descriptor) = kind else { return Tree::Integer(i64::from(number)) };
    if descriptor.full_name() == "google.protobuf.NullValue" {
        return Tree::Null;
    }
    match descriptor.get_value(number) {
        Some(value) => Tree::Text(value.name().to_owned()),
        None => Tree::Integer(i64::from(number)),
    }
}

fn float(value: f64) -> Tree {
    if value.is_nan() {
        Tree::Text("NaN".to_owned())
    } else if value.is_infinite() {
        Tree::Text(if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned())
    } else if value.fract() == 0.0 && value.abs() <= MAX_EXACT && !(value == 0.0 && value.is_sign_negative()) {
        Tree::Integer(value as i64)
    } else {
        Tree::Float(value)
    }
}

/// The double with the fewest digits that reads back as this float: 0.1, not 0.10000000149011612.
fn shortest(value: f32) -> f64 {
    value.to_string().parse().unwrap_or(f64::from(value))
}

/// Seconds with as many of 0, 3, 6 or 9 decimals as the value needs.
fn duration(message: &DynamicMessage) -> Tree {
    let nanos = nanoseconds(message);
    let sign = if nanos < 0 { "-" } else { "" };
    let nanos = nanos.unsigned_abs();
    let (seconds, rest) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
    let decimals = match rest {
        0 => String::new(),
        rest if rest % 1_000_000 == 0 => format!(".{:03}", rest / 1_000_000),
        rest if rest % 1_000 == 0 => format!(".{:06}", rest / 1_000),
        rest => format!(".{rest:09}"),
    };
    Tree::Text(format!("{sign}{seconds}{decimals}s"))
}

fn timestamp(message: &DynamicMessage) -> Tree {
    let nanos = nanoseconds(message);
    let seconds = i64::try_from(nanos.div_euclid(1_000_000_000)).unwrap_or(i64::MAX);
    let nanos = i32::try_from(nanos.rem_euclid(1_000_000_000)).unwrap_or(0);
    Tree::Text(prost_types::Timestamp { seconds, nanos }.to_string())
}

/// The length of a `Duration`, or the moment of a `Timestamp`. `i128` holds every pair of fields.
pub(crate) fn nanoseconds(message: &DynamicMessage) -> i128 {
    let seconds = message.get_field_by_number(1).and_then(|value| value.as_i64()).unwrap_or(0);
    let nanos = message.get_field_by_number(2).and_then(|value| value.as_i32()).unwrap_or(0);
    i128::from(seconds) * 1_000_000_000 + i128::from(nanos)
}

pub(crate) fn key_text(key: &MapKey) -> String {
    match key {
        MapKey::Bool(key) => key.to_string(),
        MapKey::I32(key) => key.to_string(),
        MapKey::I64(key) => key.to_string(),
        MapKey::U32(key) => key.to_string(),
        MapKey::U64(key) => key.to_string(),
        MapKey::String(key) => key.clone(),
    }
}

/// The messages that JSON writes as the bare value of their one field.
pub(crate) fn is_wrapper(name: &str) -> bool {
    matches!(
        name.strip_prefix("google.protobuf."),
        Some(
            "DoubleValue"
                | "FloatValue"
                | "Int64Value"
                | "UInt64Value"
                | "Int32Value"
                | "UInt32Value"
                | "BoolValue"
                | "StringValue"
                | "BytesValue"
        )
    )
}

/// The messages that JSON does not write as an object of their fields.
fn is_well_known(name: &str) -> bool {
    is_wrapper(name)
        || matches!(
            name.strip_prefix("google.protobuf."),
            Some("Any" | "Duration" | "Timestamp" | "Struct" | "Value" | "ListValue")
        )
}

impl Serialize for Tree {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Tree::Null => serializer.serialize_unit(),
            Tree::Bool(value) => serializer.serialize_bool(*value),
            Tree::Integer(value) => serializer.serialize_i64(*value),
            Tree::Float(value) => serializer.serialize_f64(*value),
            Tree::Text(value) => serializer.serialize_str(value),
            Tree::List(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    list.serialize_element(item)?;
                }
                list.end()
            }
            Tree::Map(entries) => {
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                for (key, value) in entries {
                    map.serialize_entry(key, value)?;
                }
                map.end()
            }
        }
    }
}
