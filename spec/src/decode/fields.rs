//! A cursor over one node of the tree that remembers what was read, so that the rest is reported.

use super::value::Reader;
use crate::codes;
use crate::diagnostic::{Diagnostic, Diagnostics, quote};
use crate::source::{Span, Spanned};
use crate::suggest;
use crate::syntax::tree::{Form, Kind, Node, Scalar};

/// What was not yet read of one node.
pub(super) struct Fields<'t> {
    node: &'t Node,
    /// With its article: `a service`.
    what: &'static str,
    /// Arguments read so far.
    arguments: usize,
    known: Vec<&'static str>,
    taken: Vec<bool>,
}

/// A name and what is said of it.
pub(super) struct Named<'t> {
    pub(super) name: Scalar,
    pub(super) body: Fields<'t>,
}

/// Unknown fields of one node that are reported one by one.
const MAX_UNKNOWN: usize = 20;

impl<'t> Fields<'t> {
    pub(super) fn of(node: &'t Node, what: &'static str) -> Self {
        Self { node, what, arguments: 0, known: Vec::new(), taken: vec![false; node.fields.len()] }
    }

    /// The place of the node's key or, in a YAML list, of the item.
    pub(super) fn span(&self) -> Span {
        self.node.span()
    }

    /// The same fields, said of something else.
    pub(super) fn renamed(self, what: &'static str) -> Self {
        Self { what, ..self }
    }

    /// The value of a field that can be said once.
    pub(super) fn value<T>(
        &mut self,
        key: &'static str,
        reader: Reader<T>,
        diagnostics: &mut Diagnostics,
    ) -> Option<Spanned<T>> {
        let node = self.one(key, diagnostics)?;
        let mut inner = Fields::of(node, reader.expected);
        let value = inner.argument(reader, diagnostics);
        if node.fields.is_empty() || value.is_some() {
            inner.finish(diagnostics);
        }
        value
    }

    /// The node's main value: its first argument, or the field of this name. Its absence is reported.
    pub(super) fn primary<T>(
        &mut self,
        key: &'static str,
        reader: Reader<T>,
        diagnostics: &mut Diagnostics,
    ) -> Option<Spanned<T>> {
        if self.node.arguments.len() > self.arguments {
            return self.argument(reader, diagnostics);
        }
        if self.node.fields.iter().any(|field| field.key.value == key) {
            return self.value(key, reader, diagnostics);
        }
        self.known.push(key);
        self.missing(&format!("{} needs {}", self.what, reader.expected), key, diagnostics);
        None
    }

    /// Like [`Fields::value`], and its absence is reported.
    pub(super) fn required<T>(
        &mut self,
        key: &'static str,
        reader: Reader<T>,
        diagnostics: &mut Diagnostics,
    ) -> Option<Spanned<T>> {
        if !self.has(key) {
            self.known.push(key);
            self.missing(&format!("{} needs `{key}`: {}", self.what, reader.expected), key, diagnostics);
            return None;
        }
        self.value(key, reader, diagnostics)
    }

    /// A field with fields of its own.
    pub(super) fn block(
        &mut self,
        key: &'static str,
        what: &'static str,
        diagnostics: &mut Diagnostics,
    ) -> Option<Fields<'t>> {
        self.one(key, diagnostics).map(|node| Fields::of(node, what))
    }

    /// Every node of a field that can be said again and again.
    pub(super) fn many(&mut self, key: &'static str, what: &'static str) -> Vec<Fields<'t>> {
        let nodes = self.take(key).into_iter();
        nodes.filter(|node| node.form != Form::EmptyList).map(|node| Fields::of(node, what)).collect()
    }

    /// Things with names: `service "a" { … }`, `service: {a: …}`, or in a list `{name: a, …}`.
    pub(super) fn named(
        &mut self,
        key: &'static str,
        what: &'static str,
        primary: &'static str,
        diagnostics: &mut Diagnostics,
    ) -> Vec<Named<'t>> {
        let mut result = Vec::new();
        for mut body in self.many(key, what) {
            let node = body.node;
            let own_name = node.form == Form::ListItem || node.names_itself(primary);
            if !node.arguments.is_empty() {
                result.extend(named_by_arguments(node, what, diagnostics));
            } else if own_name && !node.fields.is_empty() {
                let name = body.primary(primary, Reader::SCALAR, diagnostics);
                let name = name.map(|name| name.value);
                result.extend(name.map(|name| Named { name, body }));
            } else if node.fields.is_empty() {
                body.missing(&format!("{what} needs a name"), primary, diagnostics);
            } else {
                result.extend(node.fields.iter().filter_map(|field| named_by_key(field, what, diagnostics)));
            }
        }
        result
    }

    /// Every argument of every node of this field: `calls "a" "b"`, `calls: [a, b]`.
    pub(super) fn scalars(
        &mut self,
        key: &'static str,
        what: &'static str,
        diagnostics: &mut Diagnostics,
    ) -> Vec<&'t Scalar> {
        let mut result = Vec::new();
        for mut body in self.many(key, what) {
            if body.node.arguments.is_empty() {
                body.wrong_type(what, diagnostics);
                body.take_all();
            }
            result.extend(&body.node.arguments);
            body.arguments = body.node.arguments.len();
            body.finish(diagnostics);
        }
        result
    }

    /// The next argument.
    pub(super) fn argument<T>(&mut self, reader: Reader<T>, diagnostics: &mut Diagnostics) -> Option<Spanned<T>> {
        let Some(scalar) = self.node.arguments.get(self.arguments) else {
            self.wrong_type(reader.expected, diagnostics);
            return None;
        };
        self.arguments += 1;
        reader.read(scalar, diagnostics)
    }

    /// Every field, under whatever name.
    pub(super) fn entries(&mut self) -> impl Iterator<Item = &'t Node> + use<'t> {
        self.take_all();
        self.node.fields.iter().filter(|field| field.form != Form::Broken)
    }

    /// Whether the field is said, rightly or wrongly.
    pub(super) fn has(&self, key: &str) -> bool {
        self.node.fields.iter().any(|field| field.key.value == key)
    }

    /// Whether nothing at all is said.
    pub(super) fn is_empty(&self) -> bool {
        self.node.fields.is_empty()
    }

    pub(super) fn missing(&self, message: &str, key: &str, diagnostics: &mut Diagnostics) {
        let near = self.untaken().find(|field| suggest::closest(&field.key.value, std::iter::once(key)).is_some());
        if near.is_none() {
            diagnostics.push(Diagnostic::error(codes::MISSING_FIELD, self.span(), message));
        }
    }

    /// Reports everything that was not read.
    pub(super) fn finish(self, diagnostics: &mut Diagnostics) {
        if let Some(surplus) = self.node.arguments.get(self.arguments) {
            let message = format!("unexpected value {}", found(surplus));
            let label = match self.arguments {
                0 => format!("{} takes no value here", self.what),
                _ => "one value too many".to_owned(),
            };
            diagnostics.push(Diagnostic::error(codes::WRONG_TYPE, surplus.span, message).label(label));
        }
        for field in self.untaken().take(MAX_UNKNOWN) {
            diagnostics.push(self.unknown(field));
        }
        if let Some(field) = self.untaken().nth(MAX_UNKNOWN) {
            let message = format!("{} has {} more unknown fields", self.what, self.untaken().count() - MAX_UNKNOWN);
            diagnostics.push(Diagnostic::error(codes::UNKNOWN_FIELD, field.span(), message));
        }
    }

    fn untaken(&self) -> impl Iterator<Item = &'t Node> {
        self.node
            .fields
            .iter()
            .zip(&self.taken)
            .filter(|(field, taken)| !**taken && field.form != Form::Broken)
            .map(|(field, _)| field)
    }

    fn unknown(&self, field: &Node) -> Diagnostic {
        let key = &field.key.value;
        let message = format!("{} has no field `{}`", self.what, quote(key));
        let diagnostic = Diagnostic::error(codes::UNKNOWN_FIELD, field.span(), message);
        if let Some(close) = suggest::closest(key, self.known.iter().copied()) {
            return diagnostic.help(format!("did you mean `{close}`?"));
        }
        if self.known.is_empty() {
            return diagnostic;
        }
        let known: Vec<String> = self.known.iter().map(|known| format!("`{known}`")).collect();
        diagnostic.help(format!("it can have {}", known.join(", ")))
    }

    fn take(&mut self, key: &'static str) -> Vec<&'t Node> {
        self.known.push(key);
        let mut nodes = Vec::new();
        for (field, taken) in self.node.fields.iter().zip(&mut self.taken) {
            if field.key.value == key {
                *taken = true;
                if field.form != Form::Broken {
                    nodes.push(field);
                }
            }
        }
        nodes
    }

    fn take_all(&mut self) {
        self.taken.fill(true);
    }

    fn one(&mut self, key: &'static str, diagnostics: &mut Diagnostics) -> Option<&'t Node> {
        let nodes = self.take(key);
        let (first, others) = nodes.split_first()?;
        if first.form != Form::Plain {
            let message = format!("`{key}` is one thing, found a list");
            let diagnostic = Diagnostic::error(codes::WRONG_TYPE, first.span(), message);
            diagnostics.push(diagnostic.help(format!("write `{key}:` with the one value, without `-` or brackets")));
            return None;
        }
        for other in others {
            let message = format!("`{key}` is said twice");
            let diagnostic = Diagnostic::error(codes::DUPLICATE_FIELD, other.span(), message);
            diagnostics.push(diagnostic.label("again here").related(first.span(), "first here"));
        }
        Some(first)
    }

    fn wrong_type(&self, expected: &str, diagnostics: &mut Diagnostics) {
        let found = if self.node.fields.is_empty() { "no value" } else { "a block" };
        let message = format!("expected {expected}, found {found}");
        diagnostics.push(Diagnostic::error(codes::WRONG_TYPE, self.span(), message));
    }
}

impl Node {
    /// A mapping that has its own name among its fields, as in a list.
    fn names_itself(&self, primary: &str) -> bool {
        self.fields.iter().any(|field| field.key.value == primary && !field.arguments.is_empty())
    }
}

fn named_by_arguments<'t>(node: &'t Node, what: &'static str, diagnostics: &mut Diagnostics) -> Vec<Named<'t>> {
    let several = node.arguments.len() > 1;
    if several && !node.fields.is_empty() {
        let diagnostic = Diagnostic::error(codes::WRONG_TYPE, node.span(), "several names share one block");
        diagnostics.push(diagnostic.help("write each name with a block of its own"));
    }
    let mut result = Vec::new();
    for name in &node.arguments {
        let mut body = Fields::of(node, what);
        body.arguments = node.arguments.len();
        if several {
            body.take_all();
        }
        result.push(Named { name: name.clone(), body });
    }
    result
}

fn named_by_key<'t>(field: &'t Node, what: &'static str, diagnostics: &mut Diagnostics) -> Option<Named<'t>> {
    let body = Fields::of(field, what);
    if field.form != Form::Plain {
        let message = format!("`{}` is one thing, found a list", quote(&field.key.value));
        diagnostics.push(Diagnostic::error(codes::WRONG_TYPE, field.span(), message));
        return None;
    }
    let name = Scalar { kind: Kind::Text, text: field.key.value.clone(), span: field.key.span };
    Some(Named { name, body })
}

/// A value as a message names it.
pub(super) fn found(scalar: &Scalar) -> String {
    let text = quote(&scalar.text);
    match scalar.kind {
        Kind::Text => format!("`{text}`"),
        Kind::Integer(_) | Kind::Decimal => format!("the number `{text}`"),
        Kind::Bool(_) => format!("the boolean `{text}`"),
        Kind::Null => "null".to_owned(),
    }
}
