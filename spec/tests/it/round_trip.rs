//! KDL, YAML and the model say the same, whatever is said.

use std::collections::{BTreeMap, BTreeSet};

use kdl::{KdlDocument, KdlNode};
use meshwright_spec::shape::{self, Block, Occurs, Says};
use meshwright_spec::{Color, Diagnostics, Mesh, Severity, SourceFile, Sources, Syntax, parse, print, render};
use proptest::prelude::*;
use serde_json::Value;

use crate::generate::{self, FieldOf};

/// Reads a text without errors.
pub(crate) fn read(text: &str, syntax: Syntax) -> Result<Mesh, String> {
    let mut sources = Sources::new();
    let file = sources.add(SourceFile::public("mesh", text));
    let mut diagnostics = Diagnostics::new();
    let mesh = parse(file, syntax, &sources, &mut diagnostics);
    match mesh {
        Some(mesh) if diagnostics.count(Severity::Error) == 0 => Ok(mesh),
        _ => Err(render(&diagnostics, &sources, Color::Plain)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(10_000) })]

    #[test]
    fn what_is_printed_reads_back_equal_in_both_syntaxes(document in generate::document()) {
        let text = generate::yaml(&document);
        let mesh = read(&text, Syntax::Yaml).map_err(|report| TestCaseError::fail(format!("{report}\n{text}")))?;
        survives(&mesh)?;
    }

    #[test]
    fn whatever_is_accepted_reads_back_equal(document in generate::changed_document()) {
        if let Ok(mesh) = read(&generate::yaml(&document), Syntax::Yaml) {
            survives(&mesh)?;
        }
    }
}

fn survives(mesh: &Mesh) -> Result<(), TestCaseError> {
    for syntax in [Syntax::Kdl, Syntax::Yaml] {
        let text = print(mesh, syntax);
        match read(&text, syntax) {
            Ok(again) => {
                prop_assert_eq!(&again, mesh, "{}", text);
                prop_assert_eq!(print(&again, syntax), text);
            }
            Err(report) => prop_assert!(false, "{report}\n{text}"),
        }
    }
    Ok(())
}

/// Fields by the name of their block.
type Said = BTreeSet<FieldOf>;

#[test]
fn every_field_of_every_block_survives_both_syntaxes() {
    let mut paths = BTreeMap::new();
    every_field(shape::mesh(), &[], &mut paths);
    assert!(paths.len() > 300, "{}", paths.len());
    for (field, path) in paths {
        let (mut generated, mut in_kdl, mut in_yaml) = (Said::new(), Said::new(), Said::new());
        for seed in 0..4 {
            let document = generate::document_with(&path, &generate::bytes_of(seed, 80));
            let mesh = read(&generate::yaml(&document), Syntax::Yaml).unwrap_or_else(|report| panic!("{report}"));
            of_file(&document, &mut generated);
            let kdl = KdlDocument::parse_v2(&print(&mesh, Syntax::Kdl)).expect("what is printed is KDL");
            kdl.nodes().iter().for_each(|node| of_kdl(node, shape::mesh(), &mut in_kdl));
            of_file(&serde_yaml::from_str(&print(&mesh, Syntax::Yaml)).expect("what is printed is YAML"), &mut in_yaml);
        }
        for (place, said) in [("generated", generated), ("in KDL", in_kdl), ("in YAML", in_yaml)] {
            assert!(said.contains(&field), "never {place}: {field:?}");
        }
    }
}

/// Every field of a block and of those inside it, each with the fields that lead to it and itself. Names and main
/// values stand elsewhere.
fn every_field(block: &'static Block, before: &[FieldOf], paths: &mut BTreeMap<FieldOf, Vec<FieldOf>>) {
    for field in block.keys().into_iter().filter(|field| !matches!(field.occurs, Occurs::Name | Occurs::Main)) {
        let path: Vec<FieldOf> = before.iter().copied().chain([(block.name, field.key)]).collect();
        if paths.contains_key(&(block.name, field.key)) {
            continue;
        }
        paths.insert((block.name, field.key), path.clone());
        if let Says::Block(inner) = field.says {
            every_field(inner, &path, paths);
        }
    }
}

fn of_file(document: &Value, said: &mut Said) {
    let Value::Object(fields) = document else { return };
    match fields.get("mesh") {
        Some(body @ Value::Object(_)) => of_body(body, shape::mesh(), said),
        _ => of_body(document, shape::mesh(), said),
    }
}

fn of_body(body: &Value, block: &'static Block, said: &mut Said) {
    let Value::Object(fields) = body else { return };
    for (key, value) in fields {
        let Some(field) = block.field(key) else { continue };
        if is_empty(value) && !matches!(field.says, Says::Block(_)) || *value == Value::Array(Vec::new()) {
            continue;
        }
        said.insert((block.name, field.key));
        let Says::Block(inner) = field.says else { continue };
        let name = inner.fields.iter().find(|field| field.occurs == Occurs::Name).map(|field| field.key);
        match value {
            Value::Array(items) => items.iter().for_each(|item| of_body(item, inner, said)),
            Value::Object(things) if field.occurs == Occurs::Named && !names_itself(things, name) => {
                things.values().for_each(|body| of_body(body, inner, said));
            }
            _ => of_body(value, inner, said),
        }
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    }
}

fn names_itself(things: &serde_json::Map<String, Value>, name: Option<&str>) -> bool {
    name.and_then(|name| things.get(name)).is_some_and(Value::is_string)
}

fn of_kdl(node: &KdlNode, block: &'static Block, said: &mut Said) {
    let properties = node.entries().iter().filter_map(|entry| entry.name()).map(|name| name.value());
    let children = node.children().map_or(&[][..], KdlDocument::nodes);
    for key in properties.chain(children.iter().map(|child| child.name().value())) {
        if let Some(field) = block.field(key) {
            said.insert((block.name, field.key));
        }
    }
    for child in children {
        if let Some(Says::Block(inner)) = block.field(child.name().value()).map(|field| field.says) {
            of_kdl(child, inner, said);
        }
    }
}
