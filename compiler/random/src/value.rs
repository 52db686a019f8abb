//! Single values: examples of their kind, and names that the first mesh has.

use fastrand::Rng;
use serde_json::{Map, Value, json};
use spec::shape::{Value as Kind, ValueForm};

const NAMES: [&str; 8] = ["a.svc", "b.svc", "g.svc", "t.svc", "out.svc", "folder", "login", "audit"];

/// A value for a field of this key.
pub(crate) fn of(key: &str, kind: &'static Kind, choices: &mut Rng) -> Value {
    if let Some(texts) = known(key, kind) {
        return json!(texts[choices.usize(..texts.len())]);
    }
    match kind.form {
        ValueForm::Words(words) => json!(words[choices.usize(..words.len())].0),
        ValueForm::Boolean => json!(choices.bool()),
        ValueForm::Integer(least, most) => json!(number(least, most, choices)),
        ValueForm::Decimal(least, most) => match choices.u8(..3) {
            0 => json!(most),
            1 => json!(f64::from(choices.u32(0..1000)) / 100.0),
            _ => json!(number(least, most, choices)),
        },
        ValueForm::Text(_) | ValueForm::AnyText | ValueForm::NumberOrText(_) => {
            let example = kind.examples.get(choices.usize(..kind.examples.len().max(1))).copied().unwrap_or("");
            match kind.form {
                ValueForm::NumberOrText(_) => serde_json::from_str(example).unwrap_or_else(|_| json!(example)),
                _ => json!(example),
            }
        }
    }
}

/// Labels, tags, annotations.
pub(crate) fn entries(choices: &mut Rng) -> Value {
    let mut entries = Map::new();
    let pairs = [("version", "v1"), ("version", "v2"), ("tier", "100%"), ("team", "shop")];
    for _ in 0..=choices.usize(..2) {
        let (key, value) = pairs[choices.usize(..pairs.len())];
        entries.insert(key.to_owned(), json!(value));
    }
    Value::Object(entries)
}

/// Texts that mean something in the first mesh, for kinds of which any other text would be refused.
fn known(key: &str, kind: &'static Kind) -> Option<&'static [&'static str]> {
    Some(match (kind.name, key) {
        ("file", "htpasswd-file") => &["users.htpasswd"],
        ("file", "groups-file") => &["users.groups"],
        ("text", "user") => &["ada"],
        ("label", "group") => &["staff"],
        ("file", "keys-file") => &["clients.keys"],
        ("file", "secrets-file") => &["clients.secrets"],
        ("any-text-not-empty", "client") => &["partner"],
        ("file", "jwks-file") => &["login.jwks"],
        ("file", "configuration-file") => &["audit.json"],
        ("file", _) => &["filter.wasm", "audit.json"],
        ("name", "service" | "to") => &["a.svc", "b.svc", "g.svc", "t.svc", "out.svc"],
        ("name", "provider" | "ca-provider") => &["folder", "spire", "login"],
        ("name", _) => &NAMES,
        ("label", "subset" | "default-subset") => &["v1", "v2"],
        ("callee", _) => &["a.svc", "b.svc", "g.svc", "t.svc", "out.svc", "*"],
        ("node-name", _) => &["a", "b", "g", "t", "web", "edge"],
        ("address", _) => &["10.0.0.3:3000", "10.0.9.1:3000", "[fd00::9]:3000"],
        ("path", _) => &["/", "/a", "/a/b", "/admin", "/a%20b/é"],
        ("regex", _) => &["v[0-9]+", "/api/(a|b)/.*", "[a-z]{2,8}"],
        ("label", _) => &["v1", "v2", "eu-central-1", "eu-central-1a"],
        ("prose", "json") => &["{\"per_connection_buffer_limit_bytes\": 65536}", "{\"lb_policy\": \"RANDOM\"}"],
        ("text", "claim") => &["role=admin"],
        _ => return None,
    })
}

/// Small ones mostly, and both ends.
fn number(least: u32, most: u32, choices: &mut Rng) -> u32 {
    match choices.u8(..8) {
        0 => least,
        1 => most,
        _ => choices.u32(least..=most.min(least.saturating_add(100))),
    }
}
