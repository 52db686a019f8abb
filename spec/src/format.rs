//! `fmt`: the same text in its usual layout, comments and all.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::codes;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::{FileId, Span};
use crate::syntax::tree::{Kind, Node};
use crate::syntax::{self, Syntax, comments, format_kdl, format_yaml};

/// Keys and values of a YAML text: its layout takes some ten microseconds for each, and half a kilobyte.
const MAX_YAML_VALUES: usize = 200_000;

/// The text laid out anew. It says the same, has the same comments in the same order, and stays as it is when laid
/// out again. `None` after a mistake of syntax, which is reported; what the text means may be wrong.
///
/// A text that is too large, or whose layout would not say the same, is returned as it is with a warning.
pub fn format(text: &str, syntax: Syntax, file: FileId, diagnostics: &mut Diagnostics) -> Option<String> {
    let mut found = Diagnostics::new();
    let nodes = syntax::read(text, file, syntax, &mut found);
    if found.has_errors() {
        found.sort();
        found.iter().for_each(|diagnostic| diagnostics.push(diagnostic.clone()));
        return None;
    }
    let too_large = syntax == Syntax::Yaml && (text.len() > format_yaml::MAX_BYTES || values(&nodes) > MAX_YAML_VALUES);
    let meaning = meaning(nodes);
    let formatted = if too_large { None } else { laid_out(text, syntax) };
    let formatted = formatted.filter(|formatted| {
        let mut found = Diagnostics::new();
        let again = syntax::read(formatted, file, syntax, &mut found);
        !found.has_errors() && self::meaning(again) == meaning && same_comments(text, formatted, syntax)
    });
    if formatted.is_none() {
        let message = if too_large {
            "the file is left as it is: it is too large to be laid out"
        } else {
            "the file is left as it is: in another layout it would be too large, or not say the same"
        };
        let code = if too_large { codes::TOO_LARGE } else { codes::SYNTAX };
        diagnostics.push(Diagnostic::warning(code, Span::new(file, 0, 0), message));
    }
    Some(formatted.unwrap_or_else(|| text.to_owned()))
}

fn laid_out(text: &str, syntax: Syntax) -> Option<String> {
    match syntax {
        Syntax::Kdl => format_kdl::format(text),
        Syntax::Yaml => format_yaml::format(text),
    }
}

fn same_comments(before: &str, after: &str, syntax: Syntax) -> bool {
    let comments =
        |text| comments::of(text, syntax).into_iter().map(move |it| text.get(it.start..it.end).map(str::trim_end));
    comments(before).eq(comments(after))
}

fn values(nodes: &[Node]) -> usize {
    nodes.iter().map(|node| 1 + node.arguments.len() + values(&node.fields)).sum()
}

/// Equal for trees that differ in nothing but places. A number, so that two large trees need not be kept.
fn meaning(nodes: Vec<Node>) -> u64 {
    let mut hasher = DefaultHasher::new();
    hash(&nodes, &mut hasher);
    hasher.finish()
}

fn hash(nodes: &[Node], hasher: &mut DefaultHasher) {
    nodes.len().hash(hasher);
    for node in nodes {
        node.key.value.hash(hasher);
        std::mem::discriminant(&node.form).hash(hasher);
        node.arguments.len().hash(hasher);
        for scalar in &node.arguments {
            std::mem::discriminant(&scalar.kind).hash(hasher);
            match scalar.kind {
                Kind::Integer(number) => number.hash(hasher),
                Kind::Bool(value) => value.hash(hasher),
                _ => {}
            }
            scalar.text.hash(hasher);
        }
        hash(&node.fields, hasher);
    }
}
