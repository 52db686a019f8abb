//! Items as canonical YAML, with the same meaning to readers of YAML 1.1 and 1.2.

use std::collections::BTreeSet;

use super::out::{Item, Shape, Value};
use crate::units::parse_duration;

/// The top-level item: its name, and beside it everything in it.
pub(super) fn print(item: &Item) -> String {
    let mut output = String::new();
    if let Some((_, name)) = &item.main {
        output.push_str(&format!("{}: {}\n", text(&item.key), value(name)));
    }
    write_content(item, 0, "", &mut output);
    output
}

/// Values and inner items, each line at `depth`; `first` replaces the indentation of the first line.
fn write_content(item: &Item, depth: usize, first: &str, output: &mut String) {
    let mut lead = first.to_owned();
    for (name, said) in &item.values {
        begin(depth, &mut lead, output);
        output.push_str(&format!("{}: {}\n", text(name), value(said)));
    }
    for group in item.items.chunk_by(|one, next| one.key == next.key) {
        begin(depth, &mut lead, output);
        write_group(group, depth, output);
    }
}

/// Indents, or continues the line of a list's `-`.
fn begin(depth: usize, lead: &mut String, output: &mut String) {
    if lead.is_empty() {
        output.extend(std::iter::repeat_n("  ", depth));
    }
    output.push_str(&std::mem::take(lead));
}

/// Items of one key.
fn write_group(group: &[Item], depth: usize, output: &mut String) {
    let Some(first) = group.first() else { return };
    output.push_str(&text(&first.key));
    output.push(':');
    match first.shape {
        Shape::Plain | Shape::Block => write_one(first, depth, output),
        Shape::Named if keyed(group) => {
            output.push('\n');
            for item in group {
                output.extend(std::iter::repeat_n("  ", depth + 1));
                output.push_str(&item.main.as_ref().map_or_else(String::new, |(_, name)| value(name)));
                output.push(':');
                write_body(item, depth + 1, output);
            }
        }
        Shape::Named | Shape::Listed => {
            output.push('\n');
            for item in group {
                output.extend(std::iter::repeat_n("  ", depth + 1));
                output.push('-');
                write_list_item(item, depth + 1, output);
            }
        }
    }
}

/// Whether every name differs, and something is said of at least one.
fn keyed(group: &[Item]) -> bool {
    let names: BTreeSet<String> =
        group.iter().filter_map(|item| item.main.as_ref().map(|(_, name)| value(name))).collect();
    names.len() == group.len() && group.iter().any(|item| !is_bare(item))
}

fn is_bare(item: &Item) -> bool {
    item.values.is_empty() && item.items.is_empty()
}

fn write_one(item: &Item, depth: usize, output: &mut String) {
    match &item.main {
        Some((_, main)) if is_bare(item) => output.push_str(&format!(" {}\n", value(main))),
        Some((name, main)) => {
            output.push('\n');
            output.extend(std::iter::repeat_n("  ", depth + 1));
            output.push_str(&format!("{}: {}\n", text(name), value(main)));
            write_content(item, depth + 1, "", output);
        }
        None => write_body(item, depth, output),
    }
}

fn write_body(item: &Item, depth: usize, output: &mut String) {
    if is_bare(item) {
        output.push_str(" {}\n");
        return;
    }
    output.push('\n');
    write_content(item, depth + 1, "", output);
}

fn write_list_item(item: &Item, depth: usize, output: &mut String) {
    match &item.main {
        Some((_, main)) if is_bare(item) => output.push_str(&format!(" {}\n", value(main))),
        Some((name, main)) => {
            output.push_str(&format!(" {}: {}\n", text(name), value(main)));
            write_content(item, depth + 1, "", output);
        }
        None if is_bare(item) => output.push_str(" {}\n"),
        None => write_content(item, depth + 1, " ", output),
    }
}

fn value(value: &Value) -> String {
    match value {
        Value::Text(said) => text(said),
        Value::Number(number) => number.clone(),
        Value::True => "true".to_owned(),
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
