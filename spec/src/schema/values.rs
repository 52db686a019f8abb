//! Kinds of values as definitions of the schema.

use serde_json::{Map, Value as Json, json};

use crate::shape::{Value, ValueForm};

/// The definition of what may stand for any value.
const VARIABLE: &str = "variable";

/// The name of a kind's definition.
pub(super) fn name(value: &Value) -> String {
    value.name.replace(' ', "-")
}

pub(super) fn reference(value: &Value) -> Json {
    json!({ "$ref": format!("#/definitions/{}", name(value)) })
}

pub(super) fn define_variable(definitions: &mut Map<String, Json>) {
    let variable = json!({
        "type": "string",
        "pattern": "\\$\\{[A-Za-z0-9._-]+\\}",
        "description": "Text with a variable in it, such as `${region}`.",
    });
    definitions.insert(VARIABLE.to_owned(), variable);
}

pub(super) fn define(value: &Value, definitions: &mut Map<String, Json>) {
    let name = name(value);
    if definitions.contains_key(&name) {
        return;
    }
    let mut forms = forms(value);
    if !matches!(value.form, ValueForm::AnyText | ValueForm::Text(None)) {
        forms.push(json!({ "$ref": format!("#/definitions/{VARIABLE}") }));
    }
    let mut definition = Map::new();
    match forms.as_slice() {
        [Json::Object(single)] => definition.extend(single.clone()),
        _ => drop(definition.insert("anyOf".to_owned(), Json::Array(forms))),
    }
    let examples: Vec<Json> = value.examples.iter().map(|example| as_json(value, example)).collect();
    if !matches!(value.form, ValueForm::Words(_) | ValueForm::Boolean) {
        definition.insert("examples".to_owned(), Json::Array(examples));
        definition.insert("description".to_owned(), json!(format!("{}.", capital(value.expected))));
    }
    definitions.insert(name, Json::Object(definition));
}

/// A list of values: one alone, a list, or where no value has a comma, a text.
pub(super) fn several(value: &Value) -> Json {
    let mut items = vec![reference(value)];
    if let Some(pattern) = comma_pattern(value) {
        items.push(json!({ "type": "string", "pattern": pattern }));
    }
    let item = match items.as_slice() {
        [single] => single.clone(),
        _ => json!({ "anyOf": items }),
    };
    let list = json!({ "type": "array", "items": item });
    items.insert(1, list);
    json!({ "anyOf": items })
}

fn forms(value: &Value) -> Vec<Json> {
    match value.form {
        ValueForm::Text(None) => vec![json!({ "type": "string" })],
        ValueForm::Text(Some(pattern)) => vec![json!({ "type": "string", "pattern": pattern })],
        ValueForm::AnyText => vec![json!({ "type": ["string", "number", "boolean"] })],
        ValueForm::Integer(low, high) => vec![json!({ "type": "integer", "minimum": low, "maximum": high })],
        ValueForm::Decimal(low, high) => vec![
            json!({ "type": "number", "minimum": low, "maximum": high }),
            json!({ "type": "string", "pattern": "^[0-9]+(\\.[0-9]+)?\\s*%?$" }),
        ],
        ValueForm::NumberOrText(pattern) => {
            vec![json!({ "type": "string", "pattern": pattern }), json!({ "type": "integer" })]
        }
        ValueForm::Boolean => vec![json!({ "type": "boolean" })],
        // Each word with its meaning: editors show it beside the word.
        ValueForm::Words(words) => {
            words.iter().map(|(word, doc)| json!({ "const": word, "description": doc })).collect()
        }
    }
}

/// What matches several values in one text.
fn comma_pattern(value: &Value) -> Option<String> {
    let one = match value.form {
        ValueForm::Words(words) => words.iter().map(|(word, _)| *word).collect::<Vec<_>>().join("|"),
        ValueForm::Integer(..) => "[0-9]+".to_owned(),
        ValueForm::NumberOrText(pattern) | ValueForm::Text(Some(pattern)) => {
            pattern.strip_prefix('^')?.strip_suffix('$')?.to_owned()
        }
        _ => return None,
    };
    value.commas.then(|| format!("^\\s*({one})\\s*(,\\s*({one})\\s*)+$"))
}

fn as_json(value: &Value, example: &str) -> Json {
    match value.form {
        ValueForm::Integer(..) | ValueForm::Decimal(..) | ValueForm::NumberOrText(_) => {
            serde_json::from_str(example).unwrap_or_else(|_| json!(example))
        }
        _ => json!(example),
    }
}

/// With a capital.
pub(super) fn capital(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}
