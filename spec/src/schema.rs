//! The language as a JSON Schema for editors, and as a page for readers: both are made of its shape.
//!
//! The schema is draft-07, the newest that the language servers of YAML know in every version. It accepts whatever the
//! decoder accepts, each part on its own; what only the whole mesh tells, such as whether a service exists, it leaves
//! to the compiler.

mod blocks;
mod page;
mod values;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

pub use self::page::page;
use crate::shape::{self, Block, Occurs, Says};

/// The JSON Schema of meshes in YAML.
pub fn json_schema() -> Value {
    let mesh = shape::mesh();
    let mut definitions = Map::new();
    values::define_variable(&mut definitions);
    for block in all_blocks().into_values() {
        blocks::define(block, &mut definitions);
        for field in block.keys() {
            if let Says::Value(value) | Says::Values(value) = field.says {
                values::define(value, &mut definitions);
            }
        }
    }
    definitions.remove(mesh.name);
    // The name stands beside the rest, or everything stands in the block of `mesh`.
    let mut file = blocks::body(mesh);
    if let Some(properties) = file.get_mut("properties").and_then(Value::as_object_mut) {
        let name = mesh.fields.iter().find(|field| field.occurs == Occurs::Name);
        let name = name.map_or(Value::Null, blocks::single);
        let body = json!({ "$ref": "#/definitions/mesh-in-list" });
        properties.insert("mesh".to_owned(), json!({ "description": mesh.doc, "anyOf": [name, body] }));
    }
    file.insert("$schema".to_owned(), json!("http://json-schema.org/draft-07/schema#"));
    file.insert("title".to_owned(), json!("Meshwright mesh"));
    file.insert("required".to_owned(), json!(["mesh"]));
    file.insert("definitions".to_owned(), Value::Object(definitions));
    Value::Object(file)
}

/// The schema as text: the same bytes each time.
pub fn json_schema_text() -> String {
    let mut text = format!("{:#}", json_schema());
    text.push('\n');
    text
}

/// Every block that can be said somewhere, by its name.
fn all_blocks() -> BTreeMap<&'static str, &'static Block> {
    let mut found = BTreeMap::new();
    let mut open = vec![shape::mesh()];
    while let Some(block) = open.pop() {
        if found.insert(block.name, block).is_none() {
            open.extend(block.keys().into_iter().filter_map(|field| match field.says {
                Says::Block(inner) => Some(inner),
                _ => None,
            }));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn blocks_and_values_have_names_of_their_own() {
        let mut names: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for block in all_blocks().into_values() {
            names.entry(block.name.to_owned()).or_default().insert(format!("block {:p}", block));
            for field in block.keys() {
                if let Says::Value(value) | Says::Values(value) = field.says {
                    let form = format!("{:?} {:?}", value.form, value.expected);
                    names.entry(values::name(value)).or_default().insert(form);
                }
            }
        }
        let clashes: Vec<_> = names.into_iter().filter(|(_, meanings)| meanings.len() > 1).collect();
        assert!(clashes.is_empty(), "{clashes:?}");
    }
}
