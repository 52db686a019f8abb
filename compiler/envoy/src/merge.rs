//! Merges JSON into a message: objects field by field, everything else in place of what was there.

use prost::{Message, Name};
use prost_reflect::{DeserializeOptions, DynamicMessage, FieldDescriptor, Kind, MapKey, ReflectMessage, Value};
use serde_json::{Map, Value as Json};

use crate::read::NotReadable;
use crate::schema::POOL;

/// The message with the JSON merged into it. Fields are named as in Envoy's JSON, in either spelling; `null` takes a
/// field away. An `Any` is opened where the JSON names the type that it holds, or none; else it is replaced.
pub fn merge_json<M: Name + Message + Default>(message: &M, json: &Json) -> Result<M, NotReadable> {
    let Json::Object(fields) = json else { return Err(refused("an object is needed")) };
    let mut dynamic = dynamic(message).ok_or_else(|| refused("the message nests too deeply"))?;
    merge(&mut dynamic, fields)?;
    M::decode(dynamic.encode_to_vec().as_slice()).map_err(|_| refused("the result is no message"))
}

/// The message as its descriptor sees it. `None` if it nests deeper than any protobuf reader goes.
fn dynamic<M: Name + Message>(message: &M) -> Option<DynamicMessage> {
    let descriptor = POOL.get_message_by_name(&M::full_name())?;
    DynamicMessage::decode(descriptor, message.encode_to_vec().as_slice()).ok()
}

/// What an `Any` holds. `None` if its type is not among Envoy's, or its bytes are not of that type.
fn unpack(any: &DynamicMessage) -> Option<DynamicMessage> {
    let url = any.get_field_by_number(1)?;
    let descriptor = POOL.get_message_by_name(url.as_str()?.rsplit('/').next()?)?;
    DynamicMessage::decode(descriptor, any.get_field_by_number(2)?.as_bytes()?.clone()).ok()
}

fn merge(base: &mut DynamicMessage, fields: &Map<String, Json>) -> Result<(), NotReadable> {
    for (key, json) in fields {
        let descriptor = base.descriptor();
        let field = descriptor.get_field_by_name(key).or_else(|| descriptor.get_field_by_json_name(key));
        let field = field.ok_or_else(|| refused(&format!("unrecognized field name '{key}'")))?;
        match (inside(base, &field, json), json) {
            (_, Json::Null) => base.clear_field(&field),
            (Some(mut inner), Json::Object(fields)) => {
                merge_message(&mut inner, fields)?;
                base.set_field(&field, Value::Message(inner));
            }
            (None, Json::Object(entries)) if merges_entries(&field) => merge_entries(base, &field, key, entries)?,
            _ => replace(base, &field, key, json)?,
        }
    }
    Ok(())
}

/// The message that a field holds, if an object is merged into it rather than put in its place.
fn inside(base: &DynamicMessage, field: &FieldDescriptor, json: &Json) -> Option<DynamicMessage> {
    if field.is_list() || field.is_map() || !json.is_object() || !base.has_field(field) {
        return None;
    }
    let Value::Message(inner) = base.get_field(field).into_owned() else { return None };
    let name = inner.descriptor().full_name().to_owned();
    let plain = !name.starts_with("google.protobuf.") || matches!(name.as_str(), ANY | STRUCT);
    plain.then_some(inner)
}

const ANY: &str = "google.protobuf.Any";
const STRUCT: &str = "google.protobuf.Struct";

fn merge_message(inner: &mut DynamicMessage, fields: &Map<String, Json>) -> Result<(), NotReadable> {
    match inner.descriptor().full_name() {
        ANY => merge_any(inner, fields),
        STRUCT => merge_struct(inner, fields),
        _ => merge(inner, fields),
    }
}

fn merge_any(any: &mut DynamicMessage, fields: &Map<String, Json>) -> Result<(), NotReadable> {
    let held = any.get_field_by_number(1).and_then(|url| Some(url.as_str()?.to_owned())).unwrap_or_default();
    let named = fields.get("@type").and_then(Json::as_str);
    let opened = unpack(any).filter(|_| named.is_none_or(|named| named == held));
    let Some(mut message) = opened else {
        *any = read(any, &Json::Object(fields.clone()))?;
        return Ok(());
    };
    let rest: Map<String, Json> =
        fields.iter().filter(|(key, _)| *key != "@type").map(|(key, json)| (key.clone(), json.clone())).collect();
    merge(&mut message, &rest)?;
    any.set_field_by_number(2, Value::Bytes(message.encode_to_vec().into()));
    Ok(())
}

fn merge_struct(message: &mut DynamicMessage, fields: &Map<String, Json>) -> Result<(), NotReadable> {
    let mut json = serde_json::to_value(&*message).map_err(|_| refused("a struct that has no JSON"))?;
    merge_plain(&mut json, &Json::Object(fields.clone()));
    *message = read(message, &json)?;
    Ok(())
}

fn merge_plain(base: &mut Json, json: &Json) {
    match (base, json) {
        (Json::Object(base), Json::Object(fields)) => {
            for (key, json) in fields {
                merge_plain(base.entry(key.clone()).or_insert(Json::Null), json);
            }
        }
        (base, json) => *base = json.clone(),
    }
}

/// A map whose entries are messages or single values, by text.
fn merges_entries(field: &FieldDescriptor) -> bool {
    let entry = match field.kind() {
        Kind::Message(entry) if field.is_map() => entry,
        _ => return false,
    };
    matches!(entry.map_entry_key_field().kind(), Kind::String)
}

fn merge_entries(
    base: &mut DynamicMessage,
    field: &FieldDescriptor,
    name: &str,
    entries: &Map<String, Json>,
) -> Result<(), NotReadable> {
    let Value::Map(mut map) = base.get_field(field).into_owned() else { return Ok(()) };
    for (key, json) in entries {
        let place = MapKey::String(key.clone());
        match (map.get_mut(&place), json) {
            (_, Json::Null) => drop(map.remove(&place)),
            (Some(Value::Message(known)), Json::Object(fields)) => merge_message(known, fields)?,
            _ => {
                let one = Json::Object([(key.clone(), json.clone())].into_iter().collect());
                let fresh = read_field(base, name, one)?;
                if let Value::Map(fresh) = fresh.get_field(field).into_owned() {
                    map.extend(fresh);
                }
            }
        }
    }
    base.set_field(field, Value::Map(map));
    Ok(())
}

fn replace(base: &mut DynamicMessage, field: &FieldDescriptor, name: &str, json: &Json) -> Result<(), NotReadable> {
    let fresh = read_field(base, name, json.clone())?;
    // A default that has no presence is not there.
    if fresh.has_field(field) {
        base.set_field(field, fresh.get_field(field).into_owned());
    } else {
        base.clear_field(field);
    }
    Ok(())
}

fn read_field(like: &DynamicMessage, name: &str, json: Json) -> Result<DynamicMessage, NotReadable> {
    read(like, &Json::Object([(name.to_owned(), json)].into_iter().collect()))
}

fn read(like: &DynamicMessage, json: &Json) -> Result<DynamicMessage, NotReadable> {
    let options = DeserializeOptions::new().deny_unknown_fields(true);
    DynamicMessage::deserialize_with_options(like.descriptor(), json, &options)
        .map_err(|error| refused(&error.to_string()))
}

fn refused(reason: &str) -> NotReadable {
    NotReadable { line: 1, reason: reason.to_owned() }
}
