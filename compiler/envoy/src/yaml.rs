//! Prints a message as YAML that readers of YAML 1.1 and of YAML 1.2 understand alike.
//!
//! Envoy reads YAML 1.1, most other tools 1.2: `no`, `1_000`, `0x1f` or `12:30:45` mean different
//! things to them, so every text that any of them could take for something else is quoted.
//! Envoy's reader knows no fractions in free-form metadata and keeps them as text: use JSON there.

mod scalar;

use prost::{Message, Name};

use crate::tree::{Tree, tree};

const STEP: usize = 2;

/// A longer key needs the explicit form: readers give up on `key:` after 1024 characters.
const LONGEST_SIMPLE_KEY: usize = 1000;

/// YAML with the same content and order as [`to_json`](crate::to_json).
pub fn to_yaml<M: Name + Message>(message: &M) -> String {
    print(&tree(message))
}

pub(crate) fn print(tree: &Tree) -> String {
    let mut out = String::new();
    match tree {
        Tree::Map(entries) if !entries.is_empty() => map(entries, 0, &mut out),
        Tree::List(items) if !items.is_empty() => list(items, 0, &mut out),
        Tree::Text(text) => line(&scalar::on_one_line(text), &mut out),
        leaf => line(&plain(leaf), &mut out),
    }
    out
}

/// Block entries. The caller has written the indentation of the first one.
fn map(entries: &[(String, Tree)], indent: usize, out: &mut String) {
    for (at, (key, value)) in entries.iter().enumerate() {
        if at > 0 {
            pad(indent, out);
        }
        let key = scalar::on_one_line(key);
        if key.len() > LONGEST_SIMPLE_KEY {
            out.push_str("? ");
            line(&key, out);
            pad(indent, out);
        } else {
            out.push_str(&key);
        }
        out.push(':');
        below(value, indent, out);
    }
}

/// Block items. The caller has written the indentation of the first one.
fn list(items: &[Tree], indent: usize, out: &mut String) {
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            pad(indent, out);
        }
        out.push('-');
        match item {
            Tree::Map(entries) if !entries.is_empty() => {
                out.push(' ');
                map(entries, indent + STEP, out);
            }
            Tree::List(items) if !items.is_empty() => {
                out.push(' ');
                list(items, indent + STEP, out);
            }
            leaf => beside(leaf, indent, out),
        }
    }
}

/// The value of a key: collections begin on their own line.
fn below(value: &Tree, indent: usize, out: &mut String) {
    match value {
        Tree::Map(entries) if !entries.is_empty() => {
            out.push('\n');
            pad(indent + STEP, out);
            map(entries, indent + STEP, out);
        }
        Tree::List(items) if !items.is_empty() => {
            out.push('\n');
            pad(indent + STEP, out);
            list(items, indent + STEP, out);
        }
        leaf => beside(leaf, indent, out),
    }
}

/// A leaf on the line of its key or dash; a text of several lines continues below.
fn beside(leaf: &Tree, indent: usize, out: &mut String) {
    out.push(' ');
    match leaf {
        Tree::Text(text) => match scalar::block_header(text) {
            Some(header) => {
                line(header, out);
                block(text, indent + STEP, out);
            }
            None => line(&scalar::on_one_line(text), out),
        },
        leaf => line(&plain(leaf), out),
    }
}

fn block(text: &str, indent: usize, out: &mut String) {
    for content in text.lines() {
        if !content.is_empty() {
            pad(indent, out);
        }
        line(content, out);
    }
}

fn plain(leaf: &Tree) -> String {
    match leaf {
        Tree::Null => "null".to_owned(),
        Tree::Bool(value) => value.to_string(),
        Tree::Integer(value) => value.to_string(),
        Tree::Float(value) => scalar::float(*value),
        Tree::Text(text) => scalar::on_one_line(text).into_owned(),
        Tree::List(_) => "[]".to_owned(),
        Tree::Map(_) => "{}".to_owned(),
    }
}

fn line(text: &str, out: &mut String) {
    out.push_str(text);
    out.push('\n');
}

fn pad(indent: usize, out: &mut String) {
    out.extend(std::iter::repeat_n(' ', indent));
}

#[cfg(test)]
mod tests;
