//! The JSON Schema of annotations, written from the table and from the fields of the language.

use serde_json::{Map, Value, json};
use spec::annotate::{self, Key};

use super::{DEFINITIONS, find};

/// The schema of a mapping from keys to texts, as labels hold it. Always the same bytes.
pub fn schema() -> String {
    let (mut exact, mut patterns) = (Map::new(), Map::new());
    for definition in DEFINITIONS {
        let text = format!("{} Takes {}. Default: {}.", definition.doc, definition.accepts(), definition.default);
        exact.insert(definition.key.to_owned(), value(&text, definition.instead.is_some()));
    }
    let fields = annotate::service_keys().into_iter().chain(annotate::endpoint_keys());
    for Key { pattern, target } in fields.filter(|key| find(&key.pattern).is_none()) {
        let default = target.field.default.map_or(String::new(), |default| format!(" Default: {default}."));
        let text = format!("{} Takes {}.{default}", target.field.doc, target.accepts());
        let deprecated = target.field.deprecated.is_some();
        match as_expression(&pattern) {
            Some(expression) => patterns.insert(expression, value(&text, deprecated)),
            None => exact.insert(pattern, value(&text, deprecated)),
        };
    }
    let schema = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Annotations of a service or an endpoint",
        "type": "object",
        "properties": exact,
        "patternProperties": patterns,
        "additionalProperties": false,
    });
    format!("{schema:#}\n")
}

fn value(text: &str, deprecated: bool) -> Value {
    let mut value = json!({ "description": text, "type": ["string", "number", "boolean"] });
    if let Some(fields) = value.as_object_mut().filter(|_| deprecated) {
        fields.insert("deprecated".to_owned(), Value::Bool(true));
    }
    value
}

/// `route.N.path` as an expression; `None` for keys without numbers and names.
fn as_expression(pattern: &str) -> Option<String> {
    let parts: Vec<&str> = pattern.split('.').collect();
    if !parts.iter().any(|part| matches!(*part, "N" | "NAME" | "KEY")) {
        return None;
    }
    let expressions = parts.into_iter().map(|part| match part {
        "N" => "[0-9]+".to_owned(),
        "NAME" => "[^.]+".to_owned(),
        "KEY" => ".+".to_owned(),
        part => part.to_owned(),
    });
    Some(format!("^{}$", expressions.collect::<Vec<_>>().join("\\.")))
}
