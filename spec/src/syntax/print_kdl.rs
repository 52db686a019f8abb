//! Items as canonical KDL.

use super::out::{Item, Shape, Value};

/// One item and everything in it, four spaces a level.
pub(super) fn print(item: &Item) -> String {
    let mut output = String::new();
    write_item(item, 0, &mut output);
    output
}

fn write_item(item: &Item, depth: usize, output: &mut String) {
    indent(depth, output);
    output.push_str(&key(&item.key));
    if let Some((_, main)) = &item.main {
        output.push(' ');
        output.push_str(&value(main));
    }
    let on_own_lines = matches!(item.shape, Shape::Block | Shape::Named);
    if !on_own_lines {
        for (name, said) in &item.values {
            output.push_str(&format!(" {}={}", key(name), value(said)));
        }
    }
    let has_lines = on_own_lines && !item.values.is_empty();
    if !has_lines && item.items.is_empty() {
        output.push('\n');
        return;
    }
    output.push_str(" {\n");
    if on_own_lines {
        for (name, said) in &item.values {
            indent(depth + 1, output);
            output.push_str(&format!("{} {}\n", key(name), value(said)));
        }
    }
    for (index, inner) in item.items.iter().enumerate() {
        if depth == 0 && (index > 0 || has_lines) {
            output.push('\n');
        }
        write_item(inner, depth + 1, output);
    }
    indent(depth, output);
    output.push_str("}\n");
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

fn value(value: &Value) -> String {
    match value {
        Value::Text(text) => quoted(text),
        Value::Number(number) => number.clone(),
        Value::True => "#true".to_owned(),
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
