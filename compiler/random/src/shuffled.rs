//! The same mesh in another order, where order means nothing: of keys, endpoints, called and served services.

use fastrand::Rng;
use serde_json::Value;

/// Lists whose order means nothing.
const UNORDERED: [&str; 3] = ["endpoint", "calls", "serves"];

/// JSON with the same content. `serde_json` would sort its keys.
pub(super) fn shuffled(text: &str, seed: u64) -> Option<String> {
    let document: Value = serde_json::from_str(text).ok()?;
    let mut out = String::new();
    add(&document, false, &mut Rng::with_seed(seed), &mut out);
    Some(out)
}

fn add(value: &Value, unordered: bool, choices: &mut Rng, out: &mut String) {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            choices.shuffle(&mut fields);
            out.push('{');
            for (place, (key, value)) in fields.into_iter().enumerate() {
                comma(place, out);
                out.push_str(&Value::from(key.as_str()).to_string());
                out.push_str(": ");
                add(value, UNORDERED.contains(&key.as_str()), choices, out);
            }
            out.push('}');
        }
        Value::Array(items) => {
            let mut items: Vec<_> = items.iter().collect();
            if unordered {
                choices.shuffle(&mut items);
            }
            out.push('[');
            for (place, item) in items.into_iter().enumerate() {
                comma(place, out);
                add(item, false, choices, out);
            }
            out.push(']');
        }
        _ => out.push_str(&value.to_string()),
    }
}

fn comma(place: usize, out: &mut String) {
    if place > 0 {
        out.push_str(", ");
    }
}
