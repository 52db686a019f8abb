//! What is said of fields that are unknown, missing, or of the wrong kind.

use crate::codes;
use crate::diagnostic::{Diagnostic, Diagnostics, quote};
use crate::shape::Block;
use crate::source::Span;
use crate::suggest;
use crate::syntax::tree::{Form, Node};
use crate::value::found;

/// Unknown fields of one node that are reported one by one.
const MAX_UNKNOWN: usize = 20;

/// Reports fields that were not read.
pub(super) fn unknown<'t>(
    what: &str,
    shape: &'static Block,
    fields: impl Iterator<Item = &'t Node<'t>>,
    diagnostics: &mut Diagnostics,
) {
    let fields: Vec<&Node> = fields.collect();
    for field in fields.iter().take(MAX_UNKNOWN) {
        diagnostics.push(one_unknown(what, shape, field));
    }
    if let Some(field) = fields.get(MAX_UNKNOWN) {
        let message = format!("{what} has {} more unknown fields", fields.len() - MAX_UNKNOWN);
        diagnostics.push(Diagnostic::error(codes::UNKNOWN_FIELD, field.span(), message));
    }
}

fn one_unknown(what: &str, shape: &'static Block, field: &Node) -> Diagnostic {
    let key = &field.key.value;
    let message = format!("{what} has no field `{}`", quote(key));
    let diagnostic = Diagnostic::error(codes::UNKNOWN_FIELD, field.span(), message);
    // A field that cannot stand here although it has the right name, such as a main value said twice.
    let known: Vec<&str> = shape.keys().iter().map(|field| field.key).filter(|known| known != key).collect();
    if let Some(close) = suggest::closest(key, known.iter().copied()) {
        return diagnostic.help(format!("did you mean `{close}`?"));
    }
    if known.is_empty() {
        return diagnostic;
    }
    let known: Vec<String> = known.iter().map(|known| format!("`{known}`")).collect();
    diagnostic.help(format!("it can have {}", known.join(", ")))
}

/// Reports values that were not read.
pub(super) fn surplus(what: &str, node: &Node, read: usize, diagnostics: &mut Diagnostics) {
    let Some(surplus) = node.arguments.get(read) else { return };
    let message = format!("unexpected value {}", found(surplus));
    let label = match read {
        0 => format!("{what} takes no value here"),
        _ => "one value too many".to_owned(),
    };
    diagnostics.push(Diagnostic::error(codes::WRONG_TYPE, surplus.span, message).label(label));
}

pub(super) fn wrong_type(node: &Node, expected: &str, diagnostics: &mut Diagnostics) {
    let found = if node.fields.is_empty() { "no value" } else { "a block" };
    let message = format!("expected {expected}, found {found}");
    diagnostics.push(Diagnostic::error(codes::WRONG_TYPE, node.span(), message));
}

/// The one node of a field that is said once. A list, or a repetition, is reported.
pub(super) fn once<'t>(
    key: &str,
    first: &'t Node<'t>,
    others: &[&Node<'_>],
    diagnostics: &mut Diagnostics,
) -> Option<&'t Node<'t>> {
    if first.form != Form::Plain {
        let message = format!("`{key}` is one thing, found a list");
        let diagnostic = Diagnostic::error(codes::WRONG_TYPE, first.span(), message);
        diagnostics.push(diagnostic.help(format!("write `{key}:` with the one value, without `-` or brackets")));
        return None;
    }
    for other in others {
        let message = format!("`{key}` is said twice");
        diagnostics.push(twice(message, other.span(), first.span()));
    }
    Some(first)
}

pub(super) fn twice(message: String, again: Span, first: Span) -> Diagnostic {
    Diagnostic::error(codes::DUPLICATE_FIELD, again, message).label("again here").related(first, "first here")
}

pub(super) fn keys(shape: &'static Block) -> String {
    let keys: Vec<String> = shape.keys().iter().map(|field| format!("`{}`", field.key)).collect();
    match keys.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
        None => String::new(),
    }
}
