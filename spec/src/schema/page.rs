//! The manual's page with every field, in both syntaxes.

use std::collections::{BTreeMap, BTreeSet};

use super::values;
use crate::shape::{self, Block, Field, Occurs, Says, Value, ValueForm};

/// A table for each block, in the order in which a mesh says them, and one of all kinds of values.
pub fn page() -> String {
    let mut page = String::from(INTRODUCTION);
    let blocks = in_order();
    let mut stands_in: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for block in &blocks {
        for field in block.keys() {
            if let Says::Block(inner) = field.says {
                stands_in.entry(inner.name).or_default().insert(block.name);
            }
        }
    }
    for block in &blocks {
        page.push_str(&section(block, stands_in.get(block.name)));
    }
    page.push_str(&all_values(&blocks));
    page
}

const INTRODUCTION: &str = "# Every field

What can be said, block by block, in KDL and in YAML; [syntax and values](syntax.md) tells how the two correspond.
This page is made of the language itself, as is [`mesh.schema.json`](mesh.schema.json), by which editors complete and
check meshes in YAML: begin a file with `# yaml-language-server: $schema=` and the path or URL of that file.

`…` stands for what else the block says. A block without further fields needs no braces in KDL; in YAML its main value
can stand alone. The name of a thing is its key in YAML; in a list it is a field.
";

/// Every block once, those that are said first before those inside them.
fn in_order() -> Vec<&'static Block> {
    let mut blocks = vec![shape::mesh()];
    let mut at = 0;
    while let Some(block) = blocks.get(at).copied() {
        for field in block.keys() {
            if let Says::Block(inner) = field.says
                && !blocks.iter().any(|known| known.name == inner.name)
            {
                blocks.push(inner);
            }
        }
        at += 1;
    }
    blocks
}

fn section(block: &'static Block, stands_in: Option<&BTreeSet<&str>>) -> String {
    let mut section = format!("\n## {}\n\n{}\n", block.name, block.doc);
    if let Some(outer) = stands_in {
        let links: Vec<String> = outer.iter().map(|name| format!("[{name}](#{name})")).collect();
        section.push_str(&format!("\nStands in {}.", links.join(", ")));
    }
    if block.not_empty {
        section.push_str(" At least one field must be said.");
    }
    if stands_in.is_some() || block.not_empty {
        section.push('\n');
    }
    section.push_str("\n| field | KDL | YAML | type | default | meaning |\n|---|---|---|---|---|---|\n");
    rows(block, block.line, &mut section);
    section
}

fn rows(block: &'static Block, is_line: bool, section: &mut String) {
    for field in block.fields {
        match field.says {
            Says::Inline(inner) => rows(inner, is_line, section),
            Says::OneOf(choice) => {
                let keys: Vec<String> = choice.fields.iter().map(|field| format!("`{}`", field.key)).collect();
                let how_many = if field.occurs == Occurs::Required { "exactly one of" } else { "at most one of" };
                let note = format!("{how_many} {}", keys.join(", "));
                choice.fields.iter().for_each(|field| section.push_str(&row(field, is_line, Some(&note))));
            }
            _ => section.push_str(&row(field, is_line, None)),
        }
    }
}

fn row(field: &'static Field, is_line: bool, choice: Option<&str>) -> String {
    let mut default = match (field.occurs, choice, field.default) {
        (_, Some(choice), _) => choice.to_owned(),
        (Occurs::Name | Occurs::Main | Occurs::Required, ..) => "needed".to_owned(),
        (_, _, Some(default)) => default.to_owned(),
        _ => "–".to_owned(),
    };
    if let Some(instead) = field.deprecated {
        default.push_str(&format!("; deprecated: write {instead}"));
    }
    let cells = [
        format!("`{}`", field.key),
        format!("`{}`", kdl(field, is_line)),
        format!("`{}`", yaml(field)),
        kind(field),
        default,
        field.doc.to_owned(),
    ];
    format!("| {} |\n", cells.map(|cell| cell.replace('|', "\\|").replace('\n', " ")).join(" | "))
}

fn kdl(field: &Field, is_line: bool) -> String {
    let key = field.key;
    match (field.says, field.occurs) {
        (Says::Value(value), Occurs::Name | Occurs::Main) => in_kdl(value, example(value)),
        (Says::Value(value), _) if is_line => format!("{key}={}", in_kdl(value, example(value))),
        (Says::Value(value), _) => format!("{key} {}", in_kdl(value, example(value))),
        (Says::Values(value), _) => {
            let several: Vec<String> = examples(value).iter().map(|example| in_kdl(value, example)).collect();
            format!("{key} {}", several.join(" "))
        }
        (Says::Flag, _) if is_line => format!("{key}=#true"),
        (Says::Flag, _) => format!("{key} #true"),
        (Says::Entries, _) => format!("{key} {{ \"KEY\" \"TEXT\" }}"),
        (Says::Block(inner), _) => match main(inner) {
            Some((value, _)) => format!("{key} {} …", in_kdl(value, example(value))),
            None if inner.line => format!("{key} …"),
            None => format!("{key} {{ … }}"),
        },
        (Says::Inline(_) | Says::OneOf(_), _) => String::new(),
    }
}

fn yaml(field: &Field) -> String {
    let key = field.key;
    match (field.says, field.occurs) {
        (Says::Value(value), _) => format!("{key}: {}", in_yaml(value, example(value))),
        (Says::Values(value), _) => {
            let several: Vec<String> = examples(value).iter().map(|example| in_yaml(value, example)).collect();
            format!("{key}: [{}]", several.join(", "))
        }
        (Says::Flag, _) => format!("{key}: true"),
        (Says::Entries, _) => format!("{key}: {{KEY: TEXT}}"),
        (Says::Block(inner), occurs) => match (main(inner), occurs) {
            (Some((value, _)), Occurs::Named) => format!("{key}: {{{}: {{…}}}}", in_yaml(value, example(value))),
            (Some((value, main)), Occurs::Many) => {
                format!("{key}: [{{{main}: {}, …}}]", in_yaml(value, example(value)))
            }
            (Some((value, main)), _) => format!("{key}: {{{main}: {}, …}}", in_yaml(value, example(value))),
            (None, Occurs::Many) => format!("{key}: [{{…}}]"),
            (None, _) => format!("{key}: {{…}}"),
        },
        (Says::Inline(_) | Says::OneOf(_), _) => String::new(),
    }
}

fn kind(field: &Field) -> String {
    let link = |name: &str| format!("[{name}](#{name})");
    match (field.says, field.occurs) {
        (Says::Flag, _) => "true".to_owned(),
        (Says::Value(value), _) => link(&values::name(value)),
        (Says::Values(value), _) => format!("list of {}", link(&values::name(value))),
        (Says::Entries, _) => "texts by keys of your own".to_owned(),
        (Says::Block(inner), Occurs::Many) => format!("{}, any number", link(inner.name)),
        (Says::Block(inner), Occurs::Named) => format!("{}, any number by name", link(inner.name)),
        (Says::Block(inner), _) => link(inner.name),
        (Says::Inline(_) | Says::OneOf(_), _) => String::new(),
    }
}

/// The name or main value of a block, and its key.
fn main(block: &'static Block) -> Option<(&'static Value, &'static str)> {
    block.fields.iter().find_map(|field| match (field.occurs, field.says) {
        (Occurs::Name | Occurs::Main, Says::Value(value)) => Some((value, field.key)),
        _ => None,
    })
}

fn example(value: &Value) -> &'static str {
    let shown = value.examples.iter().find(|example| !example.is_empty() && !example.contains(['\n', '|']));
    shown.copied().unwrap_or("…")
}

/// Up to two examples.
fn examples(value: &Value) -> Vec<&'static str> {
    value
        .examples
        .iter()
        .copied()
        .filter(|example| !example.is_empty() && !example.contains(['\n', '|']))
        .take(2)
        .collect()
}

fn in_kdl(value: &Value, example: &str) -> String {
    match value.form {
        ValueForm::Boolean => format!("#{example}"),
        ValueForm::Integer(..) | ValueForm::Decimal(..) => example.to_owned(),
        _ => format!("\"{}\"", example.replace('\\', "\\\\").replace('"', "\\\"")),
    }
}

fn in_yaml(value: &Value, example: &str) -> String {
    match value.form {
        ValueForm::Boolean | ValueForm::Integer(..) | ValueForm::Decimal(..) => example.to_owned(),
        _ => yaml_text(example),
    }
}

/// Bare where that is plainly text.
fn yaml_text(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_./-".contains(&byte);
    let is_word = text.bytes().all(plain) && !text.starts_with(|first: char| first.is_ascii_digit() || first == '-');
    let is_duration = crate::units::parse_duration(text).is_some();
    if is_word && !["on", "off"].contains(&text) || is_duration { text.to_owned() } else { format!("{text:?}") }
}

/// Every kind of value that some field has.
fn all_values(blocks: &[&'static Block]) -> String {
    let mut kinds = BTreeMap::new();
    for field in blocks.iter().flat_map(|block| block.keys()) {
        if let Says::Value(value) | Says::Values(value) = field.says {
            kinds.insert(values::name(value), value);
        }
    }
    let mut text = String::from("\n# Kinds of values\n");
    for (name, value) in kinds {
        text.push_str(&format!("\n## {name}\n\n"));
        match value.form {
            ValueForm::Words(words) => {
                text.push_str("| word | meaning |\n|---|---|\n");
                for (word, doc) in words {
                    text.push_str(&format!("| `{word}` | {} |\n", doc.replace('|', "\\|")));
                }
            }
            _ => text.push_str(&format!("{}.{}\n", values::capital(value.expected), bounds(value))),
        }
    }
    text
}

fn bounds(value: &Value) -> String {
    match value.form {
        ValueForm::Integer(low, high) => format!(" From {low} to {high}."),
        ValueForm::Decimal(low, high) => format!(" From {low} to {high}, with at most four decimals."),
        _ => String::new(),
    }
}
