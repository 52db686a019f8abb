//! Visits every message inside a message, through `Any`s, with the path that leads to it.

use prost_reflect::{DynamicMessage, FieldDescriptor, ReflectMessage, Value};

use crate::schema::{self, OPENED_DEPTH};
use crate::tree::key_text;

/// Calls `visit` with each message, the outer one first. Fields that `enters` refuses are passed over.
pub(crate) fn walk(
    message: &DynamicMessage,
    enters: &dyn Fn(&FieldDescriptor) -> bool,
    visit: &mut dyn FnMut(&str, &DynamicMessage),
) {
    descend("", message, 0, enters, visit);
}

/// `path.name`, or `name` at the root.
pub(crate) fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// Each message below one field, with its own path.
pub(crate) fn elements<'a>(path: &str, value: &'a Value) -> Vec<(String, &'a Value)> {
    match value {
        Value::List(items) => items.iter().enumerate().map(|(at, item)| (format!("{path}[{at}]"), item)).collect(),
        Value::Map(entries) => {
            let mut sorted: Vec<_> = entries.iter().collect();
            sorted.sort_by_key(|(key, _)| *key);
            sorted.into_iter().map(|(key, value)| (format!("{path}[{:?}]", key_text(key)), value)).collect()
        }
        single => vec![(path.to_owned(), single)],
    }
}

fn descend(
    path: &str,
    message: &DynamicMessage,
    depth: usize,
    enters: &dyn Fn(&FieldDescriptor) -> bool,
    visit: &mut dyn FnMut(&str, &DynamicMessage),
) {
    visit(path, message);
    if message.descriptor().full_name() == "google.protobuf.Any" {
        if depth < OPENED_DEPTH
            && let Some(inner) = schema::unpack(message)
        {
            descend(path, &inner, depth + 1, enters, visit);
        }
        return;
    }
    for (field, value) in schema::set_fields(message) {
        if field.kind().as_message().is_none() || !enters(&field) {
            continue;
        }
        for (path, element) in elements(&join(path, field.name()), value) {
            if let Value::Message(inner) = element {
                descend(&path, inner, depth + 1, enters, visit);
            }
        }
    }
}
