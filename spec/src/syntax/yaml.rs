//! YAML text to the tree.

use super::tree::{Form, Kind, Node, Scalar};
use super::yaml_plain::read_plain;
use crate::codes;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::{FileId, Spanned};
use crate::yaml::{self, Data, Plain, Value};

/// Each item of a list gets a copy of its key, so a longer key with many items would fill the memory.
pub(super) const LONGEST_KEY: usize = 253;

/// The top-level entries. After a mistake of syntax there are none.
pub(super) fn read<'t>(text: &'t str, file: FileId, diagnostics: &mut Diagnostics) -> Vec<Node<'t>> {
    read_plain(text, file).unwrap_or_else(|| read_any(text, file, diagnostics))
}

/// What the library reads.
pub(super) fn read_any(text: &str, file: FileId, diagnostics: &mut Diagnostics) -> Vec<Node<'static>> {
    let Some(root) = yaml::read(text, file, diagnostics) else { return Vec::new() };
    match root.data {
        Data::Map(entries) => fields(entries, diagnostics),
        Data::Null => Vec::new(),
        Data::Scalar(_) | Data::List(_) => {
            let diagnostic = Diagnostic::error(codes::WRONG_TYPE, root.span, "the file is not a mapping");
            diagnostics.push(diagnostic.help("begin with `mesh: NAME`"));
            Vec::new()
        }
    }
}

fn fields(entries: Vec<(Spanned<String>, Value)>, diagnostics: &mut Diagnostics) -> Vec<Node<'static>> {
    entries.into_iter().flat_map(|(key, value)| nodes(key, value, diagnostics)).collect()
}

/// One entry: a node, or for a list a node for each item.
fn nodes(key: Spanned<String>, value: Value, diagnostics: &mut Diagnostics) -> Vec<Node<'static>> {
    let Value { data: Data::List(items), .. } = value else { return vec![node(key, value, Form::Plain, diagnostics)] };
    if items.is_empty() {
        return vec![Node {
            key: key.map(Into::into),
            arguments: Vec::new(),
            fields: Vec::new(),
            form: Form::EmptyList,
        }];
    }
    if key.value.len() > LONGEST_KEY {
        let message = format!("a list under a key of {} bytes", key.value.len());
        let diagnostic = Diagnostic::error(codes::TOO_LARGE, key.span, message);
        diagnostics.push(diagnostic.help(format!("no field has a name of more than {LONGEST_KEY} bytes")));
        return Vec::new();
    }
    let mut result = Vec::new();
    for item in items {
        let span = item.span;
        if matches!(item.data, Data::List(_)) {
            diagnostics.push(Diagnostic::error(codes::WRONG_TYPE, span, "a list directly inside a list"));
        } else {
            result.push(node(Spanned::new(key.value.clone(), span), item, Form::ListItem, diagnostics));
        }
    }
    result
}

fn node(key: Spanned<String>, value: Value, form: Form, diagnostics: &mut Diagnostics) -> Node<'static> {
    let (arguments, fields) = match value.data {
        Data::Null | Data::List(_) => (Vec::new(), Vec::new()),
        Data::Scalar(yaml::Scalar { text, plain }) => {
            (vec![Scalar { kind: kind(plain), text: text.into(), span: value.span }], Vec::new())
        }
        Data::Map(entries) => (Vec::new(), fields(entries, diagnostics)),
    };
    Node { key: key.map(Into::into), arguments, fields, form }
}

pub(super) fn kind(plain: Plain) -> Kind {
    match plain {
        Plain::Text => Kind::Text,
        Plain::Integer(number) => Kind::Integer(number),
        Plain::Decimal => Kind::Decimal,
        Plain::Bool(value) => Kind::Bool(value),
    }
}
