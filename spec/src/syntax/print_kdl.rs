//! The tree as canonical KDL.

use super::tree::{Kind, Node, Scalar};
use crate::shape::{Block, Says};

/// A node and everything in it, four spaces a level.
pub(super) fn print(node: &Node, shape: &'static Block) -> String {
    let mut output = String::new();
    write_block(node, shape, 0, &mut output);
    output
}

fn write_block(node: &Node, shape: &'static Block, depth: usize, output: &mut String) {
    indent(depth, output);
    output.push_str(&key(&node.key.value));
    for argument in &node.arguments {
        output.push(' ');
        output.push_str(&value(argument));
    }
    // What stands on the line of a block that is one line: single values.
    let beside = |field: &&Node| shape.line && is_property(field, shape);
    for field in node.fields.iter().filter(beside) {
        if let Some(said) = field.arguments.first() {
            output.push_str(&format!(" {}={}", key(&field.key.value), value(said)));
        }
    }
    let mut below = node.fields.iter().filter(|field| !beside(field)).peekable();
    if below.peek().is_none() {
        output.push('\n');
        return;
    }
    output.push_str(" {\n");
    let mut is_first = true;
    for field in below {
        if depth == 0 && !is_first {
            output.push('\n');
        }
        is_first = false;
        match shape.field(&field.key.value).map(|field| field.says) {
            Some(Says::Block(inner)) => write_block(field, inner, depth + 1, output),
            _ => write_plain(field, depth + 1, output),
        }
    }
    indent(depth, output);
    output.push_str("}\n");
}

/// Values, or entries of the user's own.
fn write_plain(node: &Node, depth: usize, output: &mut String) {
    indent(depth, output);
    output.push_str(&key(&node.key.value));
    for argument in &node.arguments {
        output.push(' ');
        output.push_str(&value(argument));
    }
    if node.fields.is_empty() {
        output.push('\n');
        return;
    }
    output.push_str(" {\n");
    for field in &node.fields {
        write_plain(field, depth + 1, output);
    }
    indent(depth, output);
    output.push_str("}\n");
}

fn is_property(field: &Node, shape: &'static Block) -> bool {
    let says = shape.field(&field.key.value).map(|field| field.says);
    matches!(says, Some(Says::Value(_) | Says::Values(_) | Says::Flag)) && field.arguments.len() == 1
}

fn indent(depth: usize, output: &mut String) {
    output.extend(std::iter::repeat_n("    ", depth));
}

fn key(key: &str) -> String {
    let word = key.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    let keyword = matches!(key, "true" | "false" | "null" | "inf" | "nan");
    if word && !keyword && key.starts_with(|first: char| first.is_ascii_lowercase()) {
        key.to_owned()
    } else {
        quoted(key)
    }
}

fn value(value: &Scalar) -> String {
    match value.kind {
        Kind::Text | Kind::Variable => quoted(&value.text),
        Kind::Integer(_) | Kind::Decimal => value.text.to_string(),
        Kind::Bool(true) => "#true".to_owned(),
        Kind::Bool(false) => "#false".to_owned(),
        Kind::Null => "#null".to_owned(),
    }
}

/// Text in quotes. What KDL forbids to stand literally, and what changes the direction of text, is escaped.
fn quoted(text: &str) -> String {
    let mut result = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => result.push_str("\\\""),
            '\\' => result.push_str("\\\\"),
            '\n' => result.push_str("\\n"),
            '\t' => result.push_str("\\t"),
            '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' => {
                result.push_str(&format!("\\u{{{:x}}}", u32::from(character)));
            }
            _ if character.is_control() => result.push_str(&format!("\\u{{{:x}}}", u32::from(character))),
            _ => result.push(character),
        }
    }
    result.push('"');
    result
}
