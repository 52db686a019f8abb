//! The same mesh in another order, where order means nothing: of keys, endpoints, called and served services.

use fastrand::Rng;
use serde_json::Value;

/// Lists whose order means nothing.
const UNORDERED: [&str; 2] = ["endpoint", "calls"];
/// A node calls as the service that it serves first.
const FIRST_COUNTS: &str = "serves";

/// JSON with the same content; `None` if the text is none. `serde_json` would sort its keys.
pub fn shuffled(text: &str, seed: u64) -> Option<String> {
    let document: Value = serde_json::from_str(text).ok()?;
    let mut out = String::new();
    add(&document, "mesh", &mut Rng::with_seed(seed), &mut out);
    Some(out)
}

fn add(value: &Value, key: &str, choices: &mut Rng, out: &mut String) {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            let fixed = usize::from(key == FIRST_COUNTS);
            choices.shuffle(fields.get_mut(fixed..).unwrap_or_default());
            out.push('{');
            for (place, (key, value)) in fields.into_iter().enumerate() {
                comma(place, out);
                out.push_str(&Value::from(key.as_str()).to_string());
                out.push_str(": ");
                add(value, key, choices, out);
            }
            out.push('}');
        }
        Value::Array(items) => {
            let mut items: Vec<_> = items.iter().collect();
            if UNORDERED.contains(&key) {
                choices.shuffle(&mut items);
            }
            out.push('[');
            for (place, item) in items.into_iter().enumerate() {
                comma(place, out);
                add(item, "", choices, out);
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
