//! Names that stand for texts: `${region}` in a value is replaced before anything else is read.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::codes;
use crate::diagnostic::{Diagnostic, Diagnostics, quote};
use crate::source::{Span, Spanned};
use crate::suggest;
use crate::syntax::tree::{Form, Kind, Node, Scalar};

/// Texts by the names that stand for them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variables {
    // Shared: every file that is included has the variables of the one that includes it.
    texts: BTreeMap<String, Arc<str>>,
    /// Given from outside: these hold whatever a file says.
    fixed: Arc<BTreeMap<String, String>>,
    /// Bytes that references may still bring in; `None` after too many, which was reported.
    room: Option<usize>,
}

impl Variables {
    /// Variables given from outside, such as on the command line: they hold whatever a file says of them.
    pub fn fixed(texts: impl IntoIterator<Item = (String, String)>) -> Self {
        Self { fixed: Arc::new(texts.into_iter().collect()), ..Self::default() }
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.fixed.get(name).map(String::as_str).or_else(|| self.texts.get(name).map(|text| &**text))
    }

    /// What the one leaves to be brought in, the other has.
    pub(crate) fn share_room(&mut self, other: &Self) {
        self.room = other.room;
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.fixed.keys().chain(self.texts.keys()).map(String::as_str)
    }
}

impl Default for Variables {
    fn default() -> Self {
        Self { texts: BTreeMap::new(), fixed: Arc::default(), room: Some(MAX_ROOM) }
    }
}

/// Findings before there are no more suggestions: each looks at every name.
const MAX_SUGGESTED: usize = 100;

/// Bytes that references may bring into one mesh, at most.
const MAX_ROOM: usize = crate::load::MAX_BYTES;

/// How far the replacing of references in one file has come.
struct Progress {
    /// Places of references that stand for nothing.
    unknown: Vec<Span>,
    /// As in [`Variables`].
    room: Option<usize>,
    /// Variables of the file that were not yet read.
    later: BTreeSet<String>,
}

/// Takes in what the nodes' own `variables` say, and replaces every reference. The places of references that stand for
/// nothing are returned: what is wrong with them otherwise is not worth saying.
pub(crate) fn substitute(nodes: &mut [Node], variables: &mut Variables, diagnostics: &mut Diagnostics) -> Vec<Span> {
    let mut progress = Progress { unknown: Vec::new(), room: variables.room, later: BTreeSet::new() };
    declare(nodes, variables, &mut progress, diagnostics);
    for node in nodes.iter_mut().filter(|node| node.key.value != "variables") {
        // The content of a mesh may stand in its block.
        if node.key.value == "mesh" {
            declare(&node.fields, variables, &mut progress, diagnostics);
            node.arguments.iter_mut().for_each(|scalar| replace(scalar, variables, &mut progress, diagnostics));
            for field in node.fields.iter_mut().filter(|field| field.key.value != "variables") {
                walk(field, variables, &mut progress, diagnostics);
            }
        } else {
            walk(node, variables, &mut progress, diagnostics);
        }
    }
    variables.room = progress.room;
    progress.unknown
}

/// Doubles the `$` of every `${`, so that reading gives the text itself.
pub(crate) fn escape(mesh: &mut Node) {
    mesh.fields.iter_mut().filter(|field| field.key.value != "variables").for_each(escape_all);
}

fn escape_all(node: &mut Node) {
    for scalar in &mut node.arguments {
        if scalar.text.contains("${") {
            scalar.text = scalar.text.replace("${", "$${").into();
        }
    }
    if node.key.value.contains("${") {
        node.key.value = node.key.value.replace("${", "$${").into();
    }
    node.fields.iter_mut().for_each(escape_all);
}

/// A variable's text may refer to those above it.
fn declare(nodes: &[Node], variables: &mut Variables, progress: &mut Progress, diagnostics: &mut Diagnostics) {
    let blocks = nodes.iter().filter(|node| node.key.value == "variables" && node.form == Form::Plain);
    let entries: Vec<&Node> = blocks.flat_map(|block| &block.fields).collect();
    progress.later.extend(entries.iter().map(|entry| entry.key.value.to_string()));
    for entry in entries {
        let Some(value) = entry.arguments.first().filter(|value| value.kind != Kind::Null) else { continue };
        if !variables.texts.contains_key(&*entry.key.value) {
            let said = Spanned { value: &*value.text, span: value.span };
            let text = replaced(said, variables, progress, diagnostics).unwrap_or(Cow::Borrowed(&value.text));
            variables.texts.insert(entry.key.value.to_string(), text.into());
        }
        progress.later.remove(&*entry.key.value);
    }
}

fn walk(node: &mut Node, variables: &Variables, progress: &mut Progress, diagnostics: &mut Diagnostics) {
    if refers(&node.key.value) {
        let key = Spanned { value: &*node.key.value, span: node.key.span };
        if let Some(Cow::Owned(text)) = replaced(key, variables, progress, diagnostics) {
            node.key.value = Cow::Owned(text);
        }
    }
    node.arguments.iter_mut().for_each(|scalar| replace(scalar, variables, progress, diagnostics));
    node.fields.iter_mut().for_each(|field| walk(field, variables, progress, diagnostics));
}

fn replace(scalar: &mut Scalar, variables: &Variables, progress: &mut Progress, diagnostics: &mut Diagnostics) {
    if scalar.kind != Kind::Text || !refers(&scalar.text) {
        return;
    }
    let said = Spanned { value: &*scalar.text, span: scalar.span };
    if let Some(Cow::Owned(text)) = replaced(said, variables, progress, diagnostics) {
        // What a variable stands for has no type of its own: it is what the field wants.
        let is_escape_only = !scalar.text.replace("$${", "").contains("${");
        scalar.kind = if is_escape_only { Kind::Text } else { Kind::Variable };
        scalar.text = Cow::Owned(text);
    }
}

/// Whether a reference may be in it. Nearly every text is short and without `$`: there this is all that is done.
fn refers(text: &str) -> bool {
    text.bytes().any(|byte| byte == b'$') && text.contains("${")
}

/// The text with every reference replaced; `None` after one that cannot be.
fn replaced<'t>(
    said: Spanned<&'t str>,
    variables: &Variables,
    progress: &mut Progress,
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
            progress.unknown.push(said.span);
            return None;
        };
        let Some(text) = variables.text(name) else {
            let message = format!("no variable is called `{}`", quote(name));
            let diagnostic = Diagnostic::error(codes::UNKNOWN_VARIABLE, said.span, message);
            let few = diagnostics.iter().nth(MAX_SUGGESTED).is_none();
            let closest = few.then(|| suggest::closest(name, variables.names())).flatten();
            diagnostics.push(match closest {
                _ if progress.later.contains(name) => diagnostic.help(format!("say `{name}` above what refers to it")),
                Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
                None => diagnostic.help(format!("say what it stands for: `variables {{ {name} \"…\" }}`")),
            });
            progress.unknown.push(said.span);
            return None;
        };
        let Some(room) = progress.room.and_then(|room| room.checked_sub(text.len())) else {
            if progress.room.take().is_some() {
                let message = format!("variables bring more than {MAX_ROOM} bytes into this mesh");
                diagnostics.push(Diagnostic::error(codes::TOO_LARGE, said.span, message).label("from here on"));
            }
            progress.unknown.push(said.span);
            return None;
        };
        progress.room = Some(room);
        result.push_str(text);
        rest = after.get(name.len() + 1..).unwrap_or("");
    }
    result.push_str(rest);
    Some(Cow::Owned(result))
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}
