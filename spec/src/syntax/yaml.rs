//! YAML text to the tree.

use super::tree::{Form, Node};
use super::yaml_values::{self, Value};
use crate::codes;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::{FileId, Spanned};

/// Each item of a list gets a copy of its key, so a longer key with many items would fill the memory.
const LONGEST_KEY: usize = 253;

/// The top-level entries. After a mistake of syntax there are none.
pub(super) fn read(text: &str, file: FileId, diagnostics: &mut Diagnostics) -> Vec<Node> {
    match yaml_values::read(text, file, diagnostics) {
        Some(Value::Mapping { entries, .. }) => fields(entries, diagnostics),
        Some(Value::Scalar(scalar)) if scalar.is_null() => Vec::new(),
        Some(other) => {
            let diagnostic = Diagnostic::error(codes::WRONG_TYPE, other.span(), "the file is not a mapping");
            diagnostics.push(diagnostic.help("begin with `mesh: NAME`"));
            Vec::new()
        }
        None => Vec::new(),
    }
}

fn fields(entries: Vec<(Spanned<String>, Value)>, diagnostics: &mut Diagnostics) -> Vec<Node> {
    entries.into_iter().flat_map(|(key, value)| nodes(key, value, diagnostics)).collect()
}

/// One entry: a node, or for a list a node for each item.
fn nodes(key: Spanned<String>, value: Value, diagnostics: &mut Diagnostics) -> Vec<Node> {
    let Value::List { items, .. } = value else { return vec![node(key, value, Form::Plain, diagnostics)] };
    if items.is_empty() {
        return vec![Node { key, arguments: Vec::new(), fields: Vec::new(), form: Form::EmptyList }];
    }
    if key.value.len() > LONGEST_KEY {
        let message = format!("a list under a key of {} bytes", key.value.len());
        let diagnostic = Diagnostic::error(codes::TOO_LARGE, key.span, message);
        diagnostics.push(diagnostic.help(format!("no field has a name of more than {LONGEST_KEY} bytes")));
        return Vec::new();
    }
    let mut result = Vec::new();
    for item in items {
        let span = item.span();
        if matches!(item, Value::List { .. }) {
            diagnostics.push(Diagnostic::error(codes::WRONG_TYPE, span, "a list directly inside a list"));
        } else {
            result.push(node(Spanned::new(key.value.clone(), span), item, Form::ListItem, diagnostics));
        }
    }
    result
}

fn node(key: Spanned<String>, value: Value, form: Form, diagnostics: &mut Diagnostics) -> Node {
    let (arguments, fields) = match value {
        Value::Scalar(scalar) if scalar.is_null() => (Vec::new(), Vec::new()),
        Value::Scalar(scalar) => (vec![scalar], Vec::new()),
        Value::Mapping { entries, .. } => (Vec::new(), fields(entries, diagnostics)),
        Value::List { .. } => (Vec::new(), Vec::new()),
    };
    Node { key, arguments, fields, form }
}
