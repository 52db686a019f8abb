//! The tree as canonical YAML, with the same meaning to readers of YAML 1.1 and 1.2.

use std::collections::BTreeSet;

use super::tree::{Kind, Node, Scalar};
use crate::shape::{Block, Occurs, Says};
use crate::units::parse_duration;

/// What a mapping holds: fields that a block knows, or keys of the user's own.
#[derive(Clone, Copy)]
enum Content {
    Of(&'static Block),
    Entries,
}

/// The top-level node: its name, and beside it everything in it.
pub(super) fn print(node: &Node, shape: &'static Block) -> String {
    let mut output = String::new();
    if let Some(name) = node.arguments.first() {
        output.push_str(&format!("{}: {}\n", text(&node.key.value), value(name)));
    }
    write_fields(node, Content::Of(shape), 0, "", &mut output);
    output
}

/// Fields, each line at `depth`; `first` replaces the indentation of the first line.
fn write_fields(node: &Node, content: Content, depth: usize, first: &str, output: &mut String) {
    let mut lead = first.to_owned();
    for group in node.fields.chunk_by(|one, next| one.key.value == next.key.value) {
        let Some(one) = group.first() else { continue };
        match lead.is_empty() {
            true => output.extend(std::iter::repeat_n("  ", depth)),
            false => output.push_str(&std::mem::take(&mut lead)),
        }
        output.push_str(&text(&one.key.value));
        output.push(':');
        let field = match content {
            Content::Of(shape) => shape.field(&one.key.value),
            Content::Entries => None,
        };
        match field.map(|field| (field.says, field.occurs)) {
            Some((Says::Block(inner), Occurs::Named)) if keyed(group) => write_keyed(group, inner, depth + 1, output),
            Some((Says::Block(inner), Occurs::Named | Occurs::Many)) => write_list(group, inner, depth + 1, output),
            Some((Says::Block(inner), _)) => write_one(one, inner, depth, output),
            Some((Says::Entries, _)) => {
                output.push('\n');
                write_fields(one, Content::Entries, depth + 1, "", output);
            }
            Some((Says::Values(_), _)) => {
                let values: Vec<String> = one.arguments.iter().map(value).collect();
                match values.as_slice() {
                    [single] => output.push_str(&format!(" {single}\n")),
                    _ => output.push_str(&format!(" [{}]\n", values.join(", "))),
                }
            }
            _ => {
                let said = one.arguments.first().map_or_else(|| "{}".to_owned(), value);
                output.push_str(&format!(" {said}\n"));
            }
        }
    }
}

/// Whether every name differs, and something is said of at least one.
fn keyed(group: &[Node]) -> bool {
    let names: BTreeSet<String> = group.iter().filter_map(|node| node.arguments.first().map(value)).collect();
    names.len() == group.len() && group.iter().any(|node| !node.fields.is_empty())
}

fn write_keyed(group: &[Node], shape: &'static Block, depth: usize, output: &mut String) {
    output.push('\n');
    for node in group {
        output.extend(std::iter::repeat_n("  ", depth));
        output.push_str(&node.arguments.first().map_or_else(String::new, value));
        output.push(':');
        write_body(node, shape, depth, output);
    }
}

fn write_list(group: &[Node], shape: &'static Block, depth: usize, output: &mut String) {
    output.push('\n');
    for node in group {
        output.extend(std::iter::repeat_n("  ", depth));
        output.push('-');
        match main(node, shape) {
            Some((_, said)) if node.fields.is_empty() => output.push_str(&format!(" {}\n", value(said))),
            Some((key, said)) => {
                output.push_str(&format!(" {}: {}\n", text(key), value(said)));
                write_fields(node, Content::Of(shape), depth + 1, "", output);
            }
            None if node.fields.is_empty() => output.push_str(" {}\n"),
            None => write_fields(node, Content::Of(shape), depth + 1, " ", output),
        }
    }
}

fn write_one(node: &Node, shape: &'static Block, depth: usize, output: &mut String) {
    match main(node, shape) {
        Some((_, said)) if node.fields.is_empty() => output.push_str(&format!(" {}\n", value(said))),
        Some((key, said)) => {
            output.push('\n');
            output.extend(std::iter::repeat_n("  ", depth + 1));
            output.push_str(&format!("{}: {}\n", text(key), value(said)));
            write_fields(node, Content::Of(shape), depth + 1, "", output);
        }
        None => write_body(node, shape, depth, output),
    }
}

fn write_body(node: &Node, shape: &'static Block, depth: usize, output: &mut String) {
    if node.fields.is_empty() {
        output.push_str(" {}\n");
        return;
    }
    output.push('\n');
    write_fields(node, Content::Of(shape), depth + 1, "", output);
}

/// The argument, and the field that holds it in YAML.
fn main<'n>(node: &'n Node<'_>, shape: &'static Block) -> Option<(&'static str, &'n Scalar<'n>)> {
    let said = node.arguments.first()?;
    let field = shape.fields.iter().find(|field| matches!(field.occurs, Occurs::Main | Occurs::Name))?;
    Some((field.key, said))
}

fn value(value: &Scalar) -> String {
    match value.kind {
        Kind::Text | Kind::Variable => text(&value.text),
        Kind::Integer(_) | Kind::Decimal | Kind::Bool(_) => value.text.to_string(),
        Kind::Null => "null".to_owned(),
    }
}

/// Without quotes only where every reader of YAML agrees that it is text.
fn text(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_./-".contains(&byte);
    let word = text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '/') && text.bytes().all(plain);
    let reserved = ["y", "n", "yes", "no", "on", "off", "true", "false", "null", "inf", "nan"];
    let is_reserved = reserved.iter().any(|reserved| reserved.eq_ignore_ascii_case(text));
    if (word && !is_reserved) || parse_duration(text).is_some() {
        return text.to_owned();
    }
    let mut result = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => result.push_str("\\\""),
            '\\' => result.push_str("\\\\"),
            '\n' => result.push_str("\\n"),
            '\t' => result.push_str("\\t"),
            '\r' => result.push_str("\\r"),
            _ if must_escape(character) => match u32::from(character) {
                code @ 0..=0xff => result.push_str(&format!("\\x{code:02x}")),
                code @ 0x100..=0xffff => result.push_str(&format!("\\u{code:04x}")),
                code => result.push_str(&format!("\\U{code:08x}")),
            },
            _ => result.push(character),
        }
    }
    result.push('"');
    result
}

/// Outside YAML's printable set, a line break, or changes the direction of text.
fn must_escape(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        || matches!(character, '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}
