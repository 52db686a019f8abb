//! Where something can be said, and saying it there.

use fastrand::Rng;
use serde_json::{Map, Value};
use spec::shape::{self, Block, Field, Occurs, Says};

use crate::value;

/// How deep new blocks nest.
const DEPTH: usize = 3;

/// Says one more thing at a random place of a mesh. `false` if everything was said there.
pub(crate) fn add(document: &mut Value, choices: &mut Rng) -> bool {
    let mut places = Vec::new();
    find(document, shape::mesh(), String::new(), &mut places);
    let (pointer, block) = places.swap_remove(choices.usize(..places.len()));
    let Some(Value::Object(body)) = document.pointer_mut(&pointer) else { return false };
    let open: Vec<&Field> = block.keys().into_iter().filter(|field| is_open(field, body)).collect();
    if open.is_empty() {
        return false;
    }
    let field = open[choices.usize(..open.len())];
    let new = say(field, DEPTH, choices);
    match (body.get_mut(field.key), new) {
        (Some(Value::Array(there)), Value::Array(more)) => there.extend(more),
        (Some(Value::Object(there)), Value::Object(more)) => there.extend(more),
        (_, new) => drop(body.insert(field.key.to_owned(), new)),
    }
    true
}

/// Names, inclusions and variables are not for us; what a module makes of its configuration only the module knows.
const LEFT: [&str; 7] = ["include", "variables", "test", "rules", "root-id", "configuration", "configuration-file"];

/// What repeats is never said often enough.
fn is_open(field: &Field, body: &Map<String, Value>) -> bool {
    let repeats = matches!(field.occurs, Occurs::Many | Occurs::Named);
    is_ours(field) && (repeats || !body.contains_key(field.key))
}

/// Whether random meshes may say it.
pub(crate) fn is_ours(field: &Field) -> bool {
    !matches!(field.occurs, Occurs::Name) && !LEFT.contains(&field.key)
}

/// Every block of the document: where it is, and its shape.
pub(crate) fn find(value: &Value, block: &'static Block, pointer: String, places: &mut Vec<(String, &'static Block)>) {
    let Value::Object(body) = value else { return };
    for field in block.keys() {
        let Some(said) = body.get(field.key) else { continue };
        let Says::Block(inner) = field.says else { continue };
        let here = format!("{pointer}/{}", escape(field.key));
        match (field.occurs, said) {
            (Occurs::Named, Value::Object(things)) => {
                for (name, thing) in things {
                    find(thing, inner, format!("{here}/{}", escape(name)), places);
                }
            }
            (Occurs::Many, Value::Array(items)) => {
                for (index, item) in items.iter().enumerate() {
                    find(item, inner, format!("{here}/{index}"), places);
                }
            }
            _ => find(said, inner, here, places),
        }
    }
    places.push((pointer, block));
}

fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

fn say(field: &'static Field, depth: usize, choices: &mut Rng) -> Value {
    match (field.says, field.occurs) {
        (Says::Flag, _) => Value::Bool(true),
        (Says::Value(kind), _) => value::of(field.key, kind, choices),
        (Says::Values(kind), _) => {
            (0..=choices.usize(..2)).map(|_| value::of(field.key, kind, choices)).collect::<Vec<_>>().into()
        }
        (Says::Entries, _) => value::entries(choices),
        (Says::Block(inner), Occurs::Named) => {
            let name = inner.fields.iter().find_map(|field| match (field.occurs, field.says) {
                (Occurs::Name, Says::Value(kind)) => value::of(field.key, kind, choices).as_str().map(str::to_owned),
                _ => None,
            });
            let mut things = Map::new();
            things.insert(name.unwrap_or_default(), Value::Object(body(inner, depth, choices)));
            Value::Object(things)
        }
        (Says::Block(inner), Occurs::Many) => vec![Value::Object(body(inner, depth, choices))].into(),
        (Says::Block(inner), _) => Value::Object(body(inner, depth, choices)),
        (Says::Inline(_) | Says::OneOf(_), _) => Value::Null,
    }
}

/// A new block: what it must say, and some of what it may.
fn body(block: &'static Block, depth: usize, choices: &mut Rng) -> Map<String, Value> {
    let mut result = Map::new();
    fill(block, depth, choices, &mut result);
    let keys = block.keys();
    if block.not_empty && result.is_empty() && !keys.is_empty() {
        let field = keys[choices.usize(..keys.len())];
        result.insert(field.key.to_owned(), say(field, depth.saturating_sub(1), choices));
    }
    result
}

fn fill(block: &'static Block, depth: usize, choices: &mut Rng, result: &mut Map<String, Value>) {
    for field in block.fields {
        let needed = matches!(field.occurs, Occurs::Main | Occurs::Required);
        // The more there is to say, the less of it.
        let wanted = needed || (depth > 0 && choices.usize(..block.fields.len().max(3)) == 0);
        match field.says {
            Says::Inline(inner) => fill(inner, depth, choices, result),
            Says::OneOf(inner) if wanted => {
                let chosen = &inner.fields[choices.usize(..inner.fields.len())];
                result.insert(chosen.key.to_owned(), say(chosen, depth.saturating_sub(1), choices));
            }
            Says::OneOf(_) => {}
            _ if (needed || (wanted && !LEFT.contains(&field.key))) && field.occurs != Occurs::Name => {
                result.insert(field.key.to_owned(), say(field, depth.saturating_sub(1), choices));
            }
            _ => {}
        }
    }
}
