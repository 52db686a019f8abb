//! Names that stand for texts: `${region}` in a value is replaced before anything else is read.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::codes;
use crate::diagnostic::{Diagnostic, Diagnostics, quote};
use crate::source::{Span, Spanned};
use crate::suggest;
use crate::syntax::tree::{Form, Kind, Node, Scalar};

/// Texts by the names that stand for them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Variables {
    texts: BTreeMap<String, String>,
    /// Given from outside: these hold whatever a file says.
    fixed: BTreeMap<String, String>,
}

impl Variables {
    /// Variables given from outside, such as on the command line: they hold whatever a file says of them.
    pub fn fixed(texts: impl IntoIterator<Item = (String, String)>) -> Self {
        Self { texts: BTreeMap::new(), fixed: texts.into_iter().collect() }
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.fixed.get(name).or_else(|| self.texts.get(name)).map(String::as_str)
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.fixed.keys().chain(self.texts.keys()).map(String::as_str)
    }
}

/// Takes in what the nodes' own `variables` say, and replaces every reference. The places of references that stand for
/// nothing are returned: what is wrong with them otherwise is not worth saying.
pub(crate) fn substitute(nodes: &mut [Node], variables: &mut Variables, diagnostics: &mut Diagnostics) -> Vec<Span> {
    declare(nodes, variables);
    let mut unknown = Vec::new();
    for node in nodes.iter_mut().filter(|node| node.key.value != "variables") {
        // The content of a mesh may stand in its block.
        if node.key.value == "mesh" {
            declare(&node.fields, variables);
            node.arguments.iter_mut().for_each(|scalar| replace(scalar, variables, &mut unknown, diagnostics));
            for field in node.fields.iter_mut().filter(|field| field.key.value != "variables") {
                walk(field, variables, &mut unknown, diagnostics);
            }
        } else {
            walk(node, variables, &mut unknown, diagnostics);
        }
    }
    unknown
}

/// Doubles the `$` of every `${`, so that reading gives the text itself.
pub(crate) fn escape(mesh: &mut Node) {
    mesh.fields.iter_mut().filter(|field| field.key.value != "variables").for_each(escape_all);
}

fn escape_all(node: &mut Node) {
    for scalar in &mut node.arguments {
        if scalar.text.contains("${") {
            scalar.text = scalar.text.replace("${", "$${");
        }
    }
    if node.key.value.contains("${") {
        node.key.value = node.key.value.replace("${", "$${");
    }
    node.fields.iter_mut().for_each(escape_all);
}

fn declare(nodes: &[Node], variables: &mut Variables) {
    let blocks = nodes.iter().filter(|node| node.key.value == "variables" && node.form == Form::Plain);
    for entry in blocks.flat_map(|block| &block.fields) {
        if let Some(value) = entry.arguments.first().filter(|value| value.kind != Kind::Null) {
            variables.texts.entry(entry.key.value.clone()).or_insert_with(|| value.text.clone());
        }
    }
}

fn walk(node: &mut Node, variables: &Variables, unknown: &mut Vec<Span>, diagnostics: &mut Diagnostics) {
    if node.key.value.contains("${") {
        let key = Spanned { value: node.key.value.as_str(), span: node.key.span };
        if let Some(Cow::Owned(text)) = replaced(key, variables, unknown, diagnostics) {
            node.key.value = text;
        }
    }
    node.arguments.iter_mut().for_each(|scalar| replace(scalar, variables, unknown, diagnostics));
    node.fields.iter_mut().for_each(|field| walk(field, variables, unknown, diagnostics));
}

fn replace(scalar: &mut Scalar, variables: &Variables, unknown: &mut Vec<Span>, diagnostics: &mut Diagnostics) {
    if scalar.kind != Kind::Text || !scalar.text.contains("${") {
        return;
    }
    let said = Spanned { value: scalar.text.as_str(), span: scalar.span };
    if let Some(Cow::Owned(text)) = replaced(said, variables, unknown, diagnostics) {
        // What a variable stands for has no type of its own: it is what the field wants.
        let is_escape_only = !scalar.text.replace("$${", "").contains("${");
        scalar.kind = if is_escape_only { Kind::Text } else { Kind::Variable };
        scalar.text = text;
    }
}

/// The text with every reference replaced; `None` after one that cannot be.
fn replaced<'t>(
    said: Spanned<&'t str>,
    variables: &Variables,
    unknown: &mut Vec<Span>,
    diagnostics: &mut Diagnostics,
) -> Option<Cow<'t, str>> {
    let (mut result, mut rest) = (String::new(), said.value);
    while let Some(at) = rest.find("${") {
        let (before, reference) = rest.split_at(at);
        let after = reference.get(2..).unwrap_or("");
        if let Some(escaped) = before.strip_suffix('$') {
            result.push_str(escaped);
            result.push_str("${");
            rest = after;
            continue;
        }
        result.push_str(before);
        let name = after.split_once('}').map(|(name, _)| name).filter(|name| is_name(name));
        let Some(name) = name else {
            let message = "`${` begins a reference to a variable, and none follows";
            let diagnostic = Diagnostic::error(codes::UNKNOWN_VARIABLE, said.span, message);
            diagnostics.push(diagnostic.help("write `${NAME}`, or `$${` for the characters themselves"));
            unknown.push(said.span);
            return None;
        };
        let Some(text) = variables.text(name) else {
            let message = format!("no variable is called `{}`", quote(name));
            let diagnostic = Diagnostic::error(codes::UNKNOWN_VARIABLE, said.span, message);
            diagnostics.push(match suggest::closest(name, variables.names()) {
                Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
                None => diagnostic.help(format!("say what it stands for: `variables {{ {name} \"…\" }}`")),
            });
            unknown.push(said.span);
            return None;
        };
        result.push_str(text);
        if result.len() > crate::load::MAX_BYTES {
            let message = "the variables make this text too long";
            diagnostics.push(Diagnostic::error(codes::TOO_LARGE, said.span, message));
            unknown.push(said.span);
            return None;
        }
        rest = after.get(name.len() + 1..).unwrap_or("");
    }
    result.push_str(rest);
    Some(Cow::Owned(result))
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}
