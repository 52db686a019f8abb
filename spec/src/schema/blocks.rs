//! Blocks as definitions of the schema.

use serde_json::{Map, Value, json};

use super::values;
use crate::shape::{Block, Field, Occurs, Says};

/// A block as it stands under its key; of a named thing also as it stands in a list, with its name.
pub(super) fn define(block: &'static Block, definitions: &mut Map<String, Value>) {
    let mut body = Value::Object(body(block));
    let main = block.fields.iter().find(|field| field.occurs == Occurs::Main);
    if let Some(main) = main.filter(|_| needs(block).required.len() == 1) {
        body = json!({ "description": block.doc, "anyOf": [single(main), body] });
    } else if can_be_empty(block) {
        body = json!({ "description": block.doc, "anyOf": [body, { "type": "null" }] });
    }
    definitions.insert(block.name.to_owned(), body);
    if let Some(name) = block.fields.iter().find(|field| field.occurs == Occurs::Name) {
        definitions.insert(in_list(block), Value::Object(with_name(block, name)));
    }
}

/// The fields of a block, without its name.
pub(super) fn body(block: &'static Block) -> Map<String, Value> {
    let mut properties = Map::new();
    for field in block.keys().into_iter().filter(|field| field.occurs != Occurs::Name) {
        properties.insert(field.key.to_owned(), property(field));
    }
    let mut result = Map::new();
    result.insert("description".to_owned(), json!(block.doc));
    result.insert("type".to_owned(), json!("object"));
    result.insert("properties".to_owned(), Value::Object(properties));
    result.insert("additionalProperties".to_owned(), json!(false));
    let needs = needs(block);
    if !needs.required.is_empty() {
        result.insert("required".to_owned(), json!(needs.required));
    }
    if !needs.rules.is_empty() {
        result.insert("allOf".to_owned(), Value::Array(needs.rules));
    }
    if block.not_empty {
        result.insert("minProperties".to_owned(), json!(1));
    }
    result
}

/// The value of a field that holds one.
pub(super) fn single(field: &Field) -> Value {
    match field.says {
        Says::Value(value) => values::reference(value),
        _ => json!({}),
    }
}

fn with_name(block: &'static Block, name: &Field) -> Map<String, Value> {
    let mut result = body(block);
    if let Some(properties) = result.get_mut("properties").and_then(Value::as_object_mut) {
        properties.insert(name.key.to_owned(), described(name, single(name)));
    }
    let mut required = needs(block).required;
    required.insert(0, name.key);
    result.insert("required".to_owned(), json!(required));
    result
}

fn in_list(block: &Block) -> String {
    format!("{}-in-list", block.name)
}

fn property(field: &'static Field) -> Value {
    let said = match (field.says, field.occurs) {
        (Says::Flag, _) => json!({ "const": true }),
        (Says::Value(_), _) => single(field),
        (Says::Values(value), _) => values::several(value),
        (Says::Entries, _) => json!({
            "type": ["object", "null"],
            "additionalProperties": { "type": ["string", "number", "boolean"] },
        }),
        (Says::Block(inner), Occurs::Named) => named(inner),
        (Says::Block(inner), Occurs::Many) => {
            let one = reference(inner.name);
            json!({ "anyOf": [one, { "type": "array", "items": one }] })
        }
        (Says::Block(inner), _) => reference(inner.name),
        // Their fields stand among the block's own.
        (Says::Inline(_) | Says::OneOf(_), _) => json!({}),
    };
    described(field, said)
}

/// Things with names: a mapping, a list, or names alone.
fn named(block: &'static Block) -> Value {
    let name = block.fields.iter().find(|field| field.occurs == Occurs::Name).map_or(json!({}), single);
    let whole = reference(&in_list(block));
    let mapping = json!({
        "type": "object",
        "propertyNames": name,
        "additionalProperties": reference(block.name),
        "minProperties": 1,
    });
    let mut forms = vec![mapping];
    let mut items = vec![whole.clone()];
    if can_be_empty(block) {
        items.push(name.clone());
        forms.push(name);
    }
    forms.insert(1, json!({ "type": "array", "items": { "anyOf": items } }));
    // One thing, with its name among its fields.
    forms.push(whole);
    json!({ "anyOf": forms })
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/definitions/{name}") })
}

/// With what the field means, what holds without it, and what stands in its place nowadays.
fn described(field: &Field, said: Value) -> Value {
    let Value::Object(mut result) = said else { return said };
    let mut doc = field.doc.to_owned();
    if let Some(default) = field.default {
        doc.push_str(&format!(" Default: {default}."));
    }
    if let Some(instead) = field.deprecated {
        let message = format!("Deprecated: write {instead}.");
        doc = format!("{message} {doc}");
        result.insert("deprecated".to_owned(), json!(true));
        result.insert("deprecationMessage".to_owned(), json!(message));
    }
    result.insert("description".to_owned(), json!(doc));
    Value::Object(result)
}

/// What a block must say.
struct Needs {
    required: Vec<&'static str>,
    /// Schemas that must all hold.
    rules: Vec<Value>,
}

fn needs(block: &'static Block) -> Needs {
    let mut needs = Needs { required: Vec::new(), rules: Vec::new() };
    for field in block.fields {
        match (field.says, field.occurs) {
            (Says::Inline(inner), _) => {
                let inner = self::needs(inner);
                needs.required.extend(inner.required);
                needs.rules.extend(inner.rules);
            }
            (Says::OneOf(choice), occurs) => needs.rules.push(one_of(choice, occurs == Occurs::Required)),
            (_, Occurs::Main | Occurs::Required) => needs.required.push(field.key),
            _ => {}
        }
    }
    // What `decode::checks` asks of blocks as a whole.
    match block.name {
        "fault" => {
            needs.rules.push(any_of(&["delay", "abort", "grpc-abort", "response-rate-limit", "header-control"]));
            needs.rules.push(json!({ "not": { "required": ["abort", "grpc-abort"] } }));
        }
        "fault-control" => needs.rules.push(any_of(&["max-delay", "abort", "grpc-abort"])),
        "routing-rule" => {
            needs.rules.push(says("to"));
            needs.rules.push(any_of(&["method", "header", "cookie", "query", "any", "percent"]));
            needs.rules.push(json!({ "not": { "required": ["sticky", "visitor-cookie"] } }));
        }
        "gateway" => needs.rules.push(says("listen")),
        "test" => needs.required.extend(["request", "expect"]),
        _ => {}
    }
    needs
}

/// Exactly one of these fields, or at most one.
fn one_of(choice: &'static Block, needed: bool) -> Value {
    let keys: Vec<&str> = choice.fields.iter().map(|field| field.key).collect();
    let mut forms: Vec<Value> = keys.iter().map(|key| says(key)).collect();
    if !needed {
        forms.push(json!({ "not": any_of(&keys) }));
    }
    json!({ "oneOf": forms })
}

fn any_of(keys: &[&str]) -> Value {
    json!({ "anyOf": keys.iter().map(|key| says(key)).collect::<Vec<_>>() })
}

/// The field is there. An empty list says nothing.
fn says(key: &str) -> Value {
    json!({ "required": [key], "properties": { key: { "minItems": 1 } } })
}

/// Whether nothing at all need be said in a block.
fn can_be_empty(block: &'static Block) -> bool {
    let needs = needs(block);
    let choice =
        block.fields.iter().any(|field| matches!((field.says, field.occurs), (Says::OneOf(_), Occurs::Required)));
    let checked = ["fault", "fault-control", "routing-rule", "gateway"].contains(&block.name);
    !block.not_empty && needs.required.is_empty() && !choice && !checked
}
