//! What of the language random meshes say.

use std::collections::BTreeSet;

use serde_json::Value;
use spec::shape::{self, Says};

use crate::place;

/// Every field that random meshes could say: the block it stands in, and its key.
pub fn everything() -> BTreeSet<(&'static str, &'static str)> {
    let (mut fields, mut blocks) = (BTreeSet::new(), vec![shape::mesh()]);
    while let Some(block) = blocks.pop() {
        for field in block.keys().into_iter().filter(|field| place::is_ours(field)) {
            if let (true, Says::Block(inner)) = (fields.insert((block.name, field.key)), field.says) {
                blocks.push(inner);
            }
        }
    }
    fields
}

/// The fields that a mesh says.
pub fn said_in(text: &str) -> BTreeSet<(&'static str, &'static str)> {
    let mut places = Vec::new();
    let document: Value = serde_json::from_str(text).unwrap_or_default();
    place::find(&document, shape::mesh(), String::new(), &mut places);
    let mut said = BTreeSet::new();
    for (pointer, block) in places {
        let Some(Value::Object(body)) = document.pointer(&pointer) else { continue };
        said.extend(block.keys().into_iter().filter(|it| body.contains_key(it.key)).map(|it| (block.name, it.key)));
    }
    said
}
