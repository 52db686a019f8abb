//! A cursor over one node of the tree that remembers what was read, so that the rest is reported.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::messages;
use crate::block::{Block, Choice};
use crate::codes;
use crate::diagnostic::{Diagnostic, Diagnostics, quote};
use crate::mesh::Entry;
use crate::shape;
use crate::source::{Span, Spanned};
use crate::suggest;
use crate::syntax::tree::{Form, Kind, Node, Scalar};
use crate::value::Reader;
use crate::value::text::AS_WRITTEN;

/// What was not yet read of one node.
pub(crate) struct Fields<'t> {
    node: &'t Node<'t>,
    /// With its article: `a service`.
    what: &'static str,
    shape: &'static shape::Block,
    /// The name of a named thing, wherever it stands.
    name: Option<Scalar<'t>>,
    /// Arguments read so far.
    arguments: usize,
    taken: Vec<bool>,
}

/// A block without fields of its own, for nodes that hold values.
const VALUE: &shape::Block =
    &shape::Block { name: "value", what: "a value", doc: "", line: true, not_empty: false, fields: &[] };

impl<'t> Fields<'t> {
    pub(crate) fn of(node: &'t Node<'t>, what: &'static str, shape: &'static shape::Block) -> Self {
        Self { node, what, shape, name: None, arguments: 0, taken: vec![false; node.fields.len()] }
    }

    /// The place of the node's key or, in a YAML list, of the item.
    pub(crate) fn span(&self) -> Span {
        self.name.as_ref().map_or(self.node.span(), |name| name.span)
    }

    /// The same fields, said of something else.
    pub(crate) fn renamed(self, what: &'static str) -> Self {
        Self { what, ..self }
    }

    /// The same fields, of a thing that is called so.
    pub(crate) fn with_name(self, name: Scalar<'t>) -> Self {
        Self { name: Some(name), ..self }
    }

    /// The value of a field that can be said once.
    pub(crate) fn value<T>(
        &mut self,
        key: &'static str,
        reader: Reader<T>,
        diagnostics: &mut Diagnostics,
    ) -> Option<Spanned<T>> {
        let node = self.node(key, diagnostics)?;
        let mut inner = Self::of(node, reader.shape.expected, VALUE);
        let value = inner.argument(reader, diagnostics);
        if node.fields.is_empty() || value.is_some() {
            inner.finish(diagnostics);
        }
        value
    }

    /// Like [`Fields::value`], and its absence is reported.
    pub(crate) fn required<T>(
        &mut self,
        key: &'static str,
        reader: Reader<T>,
        diagnostics: &mut Diagnostics,
    ) -> Option<Spanned<T>> {
        if !self.has(key) {
            let message = format!("{} needs `{key}`: {}", self.what, reader.shape.expected);
            self.missing(&message, key, diagnostics);
            return None;
        }
        self.value(key, reader, diagnostics)
    }

    /// The node's main value: its first argument, or the field of this name. Its absence is reported.
    pub(crate) fn main<T>(
        &mut self,
        key: &'static str,
        reader: Reader<T>,
        diagnostics: &mut Diagnostics,
    ) -> Option<Spanned<T>> {
        if self.node.arguments.len() > self.arguments {
            return self.argument(reader, diagnostics);
        }
        if self.has(key) {
            return self.value(key, reader, diagnostics);
        }
        self.missing(&format!("{} needs {}", self.what, reader.shape.expected), key, diagnostics);
        None
    }

    /// The name of a named thing.
    pub(crate) fn name<T>(
        &mut self,
        key: &'static str,
        reader: Reader<T>,
        diagnostics: &mut Diagnostics,
    ) -> Option<Spanned<T>> {
        match &self.name {
            Some(name) => reader.read(name, diagnostics),
            None => self.main(key, reader, diagnostics),
        }
    }

    /// That it is said is all: `present=#true`. False is reported.
    pub(crate) fn flag(&mut self, key: &'static str, diagnostics: &mut Diagnostics) -> Option<Spanned<bool>> {
        let said = self.value(key, <bool as crate::value::Readable>::READER, diagnostics)?;
        if !said.value {
            let message = format!("`{key}` can only be true");
            let diagnostic = Diagnostic::error(codes::INVALID_VALUE, said.span, message);
            diagnostics.push(diagnostic.help(format!("leave `{key}` out; `invert` turns a comparison around")));
            return None;
        }
        Some(said)
    }

    /// Every value of every node of this field: `on "5xx" "reset"`, `on: [5xx, reset]`; where no value can have a
    /// comma, also `on="5xx,reset"`.
    pub(crate) fn values<T>(
        &mut self,
        key: &'static str,
        reader: Reader<T>,
        diagnostics: &mut Diagnostics,
    ) -> Vec<Spanned<T>> {
        let nodes = self.take(key);
        let mut result = Vec::with_capacity(nodes.iter().map(|node| node.arguments.len()).sum());
        for node in nodes.into_iter().filter(|node| node.form != Form::EmptyList) {
            if node.arguments.is_empty() {
                messages::wrong_type(node, reader.shape.expected, diagnostics);
                continue;
            }
            for scalar in &node.arguments {
                if !reader.shape.commas || !scalar.text.contains(',') {
                    result.extend(reader.read(scalar, diagnostics));
                    continue;
                }
                // A number where numbers are meant: a header may be called `1`.
                let is_number = matches!(reader.shape.form, shape::ValueForm::Integer(..));
                for part in scalar.text.split(',').map(str::trim) {
                    let number = part.parse().ok().filter(|_| is_number);
                    let kind = number.map_or(Kind::Text, Kind::Integer);
                    let part = Scalar { kind, text: part.into(), span: scalar.span };
                    result.extend(reader.read(&part, diagnostics));
                }
            }
            messages::unknown("a list", VALUE, node.fields.iter(), diagnostics);
        }
        result
    }

    /// A block that can be said once.
    pub(crate) fn decode_block<B: Block>(&mut self, key: &'static str, diagnostics: &mut Diagnostics) -> Option<B> {
        let node = self.node(key, diagnostics)?;
        Self::of(node, B::SHAPE.what, B::SHAPE).decode(diagnostics)
    }

    /// Blocks that can be said again and again.
    pub(crate) fn decode_blocks<B: Block>(&mut self, key: &'static str, diagnostics: &mut Diagnostics) -> Vec<B> {
        let nodes = self.take(key);
        // No more room than is needed: blocks are large, and most lists of them short.
        let mut result = Vec::with_capacity(nodes.len());
        for node in nodes.into_iter().filter(|node| node.form != Form::EmptyList) {
            result.extend(Self::of(node, B::SHAPE.what, B::SHAPE).decode(diagnostics));
        }
        result
    }

    /// Things with names: `service "a" { … }`, `service: {a: …}`, or in a list `{name: a, …}`.
    pub(crate) fn decode_named<B: Block>(&mut self, key: &'static str, diagnostics: &mut Diagnostics) -> Vec<B> {
        let (what, shape) = (B::SHAPE.what, B::SHAPE);
        let name_key = shape.fields.iter().find(|field| field.occurs == shape::Occurs::Name);
        let name_key = name_key.map_or("name", |field| field.key);
        let nodes = self.take(key);
        let mut result = Vec::with_capacity(nodes.len());
        for node in nodes.into_iter().filter(|node| node.form != Form::EmptyList) {
            let own_name = node.form == Form::ListItem || node.names_itself(name_key);
            if !node.arguments.is_empty() {
                let several = node.arguments.len() > 1;
                if several && !node.fields.is_empty() {
                    let message = "several names share one block";
                    let diagnostic = Diagnostic::error(codes::WRONG_TYPE, node.span(), message);
                    diagnostics.push(diagnostic.help("write each name with a block of its own"));
                }
                result.reserve(node.arguments.len());
                for name in &node.arguments {
                    let mut body = Self::of(node, what, shape);
                    body.arguments = node.arguments.len();
                    body.taken.fill(several);
                    body.name = Some(name.clone());
                    result.extend(body.decode(diagnostics));
                }
            } else if own_name && !node.fields.is_empty() {
                result.extend(Self::of(node, what, shape).decode(diagnostics));
            } else if node.fields.is_empty() {
                Self::of(node, what, shape).missing(&format!("{what} needs a name"), name_key, diagnostics);
            } else {
                result.reserve(node.fields.len());
                for field in &node.fields {
                    result.extend(Self::keyed(field, what, shape, diagnostics).and_then(|it| it.decode(diagnostics)));
                }
            }
        }
        result
    }

    /// The alternative that is said, where at most one can be.
    pub(crate) fn choice<C: Choice>(&mut self, diagnostics: &mut Diagnostics) -> Option<Spanned<C>> {
        let said: Vec<&'static shape::Field> = C::SHAPE.fields.iter().filter(|field| self.has(field.key)).collect();
        let (first, others) = said.split_first()?;
        let span = self.place_of(first.key);
        if let Some(other) = others.first() {
            let one = C::SHAPE.what.trim_start_matches("a ").trim_start_matches("an ");
            let message = format!("{} has one {one}, not several", self.what);
            let diagnostic = Diagnostic::error(codes::INVALID_VALUE, self.place_of(other.key), message);
            let diagnostic = diagnostic.related(span, "another one, here");
            diagnostics.push(diagnostic.help(format!("write one of {}", messages::keys(C::SHAPE))));
            for other in others {
                C::decode_said(other.key, self, diagnostics);
            }
        }
        C::decode_said(first.key, self, diagnostics).map(|value| Spanned::new(value, span))
    }

    /// Like [`Fields::choice`], and its absence is reported.
    pub(crate) fn required_choice<C: Choice>(&mut self, diagnostics: &mut Diagnostics) -> Option<Spanned<C>> {
        if !C::SHAPE.fields.iter().any(|field| self.has(field.key)) {
            let message = format!("{} needs {}", self.what, C::SHAPE.what);
            let first = C::SHAPE.fields.first().map_or("", |field| field.key);
            let near = self.untaken().any(|field| {
                suggest::closest(&field.key.value, C::SHAPE.fields.iter().map(|field| field.key)).is_some()
            });
            if !near && !first.is_empty() {
                let diagnostic = Diagnostic::error(codes::MISSING_FIELD, self.span(), message);
                diagnostics.push(diagnostic.help(format!("write one of {}", messages::keys(C::SHAPE))));
            }
            return None;
        }
        self.choice(diagnostics)
    }

    /// Keys and texts of the user's own.
    pub(crate) fn entries(&mut self, key: &'static str, diagnostics: &mut Diagnostics) -> Vec<Entry> {
        let Some(node) = self.node(key, diagnostics) else { return Vec::new() };
        messages::surplus("a list of entries", node, 0, diagnostics);
        let mut result = Vec::new();
        let mut places = BTreeMap::new();
        for entry in node.fields.iter().filter(|field| field.form != Form::Broken) {
            if entry.form != Form::Plain {
                found_list(entry, diagnostics);
                continue;
            }
            let mut field = Self::of(entry, "an entry", VALUE);
            let value = field.argument(AS_WRITTEN, diagnostics);
            field.finish(diagnostics);
            if let Some(first) = places.insert(&*entry.key.value, entry.span()) {
                let message = format!("`{}` is said twice", quote(&entry.key.value));
                diagnostics.push(messages::twice(message, entry.span(), first));
            } else if let Some(value) = value {
                let key = Spanned::new(entry.key.value.to_string(), entry.key.span);
                result.push(Entry { key, value });
            }
        }
        result
    }

    /// The node of a field that can be said once, not yet read.
    pub(crate) fn node(&mut self, key: &'static str, diagnostics: &mut Diagnostics) -> Option<&'t Node<'t>> {
        let (mut first, mut others) = (None, Vec::new());
        for (field, taken) in self.node.fields.iter().zip(&mut self.taken).filter(|(field, _)| field.is(key)) {
            *taken = true;
            match first {
                _ if field.form == Form::Broken => {}
                None => first = Some(field),
                Some(_) => others.push(field),
            }
        }
        messages::once(key, first?, &others, diagnostics)
    }

    /// Whether the field is said, rightly or wrongly. An empty list says nothing.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.node.fields.iter().any(|field| field.is(key) && field.form != Form::EmptyList)
    }

    /// Where the field is said; else the place of the node.
    pub(crate) fn place_of(&self, key: &str) -> Span {
        let field = self.node.fields.iter().find(|field| field.is(key));
        field.map_or(self.span(), Node::span)
    }

    /// Whether no field at all is said.
    pub(crate) fn is_empty(&self) -> bool {
        self.node.fields.is_empty()
    }

    /// Reports that something is absent, unless a field that was not read looks like it.
    pub(crate) fn missing(&self, message: &str, key: &str, diagnostics: &mut Diagnostics) {
        let near = self.untaken().any(|field| suggest::closest(&field.key.value, std::iter::once(key)).is_some());
        if !near {
            diagnostics.push(Diagnostic::error(codes::MISSING_FIELD, self.span(), message));
        }
    }

    /// Reports everything that was not read.
    pub(crate) fn finish(self, diagnostics: &mut Diagnostics) {
        messages::surplus(self.what, self.node, self.arguments, diagnostics);
        if self.taken.iter().any(|taken| !taken) {
            messages::unknown(self.what, self.shape, self.untaken(), diagnostics);
        }
    }

    /// Reads a whole block, and reports what is left.
    pub(crate) fn decode<B: Block>(mut self, diagnostics: &mut Diagnostics) -> Option<B> {
        if B::SHAPE.not_empty && self.node.fields.iter().all(|field| says_nothing(field, B::SHAPE)) {
            let message = format!("{} that says nothing", self.what);
            let diagnostic = Diagnostic::error(codes::EMPTY_BLOCK, self.span(), message);
            diagnostics.push(diagnostic.help(format!("write at least one of {}", messages::keys(B::SHAPE))));
            return None;
        }
        let block = B::decode(&mut self, diagnostics);
        self.finish(diagnostics);
        block
    }

    /// A named thing whose name is the key of its field.
    fn keyed(
        field: &'t Node<'t>,
        what: &'static str,
        shape: &'static shape::Block,
        diagnostics: &mut Diagnostics,
    ) -> Option<Self> {
        if field.form != Form::Plain {
            found_list(field, diagnostics);
            return None;
        }
        let name = Scalar { kind: Kind::Text, text: Cow::Borrowed(&*field.key.value), span: field.key.span };
        Some(Self { name: Some(name), ..Self::of(field, what, shape) })
    }

    /// The next argument.
    fn argument<T>(&mut self, reader: Reader<T>, diagnostics: &mut Diagnostics) -> Option<Spanned<T>> {
        let Some(scalar) = self.node.arguments.get(self.arguments) else {
            messages::wrong_type(self.node, reader.shape.expected, diagnostics);
            return None;
        };
        self.arguments += 1;
        reader.read(scalar, diagnostics)
    }

    fn untaken(&self) -> impl Iterator<Item = &'t Node<'t>> + use<'_, 't> {
        let fields = self.node.fields.iter().zip(&self.taken);
        let unread = |field: &Node<'_>| field.form != Form::Broken && !is_empty_list(field, self.shape);
        fields.filter(move |(field, taken)| !**taken && unread(field)).map(|(field, _)| field)
    }

    fn take(&mut self, key: &'static str) -> Vec<&'t Node<'t>> {
        let mut nodes = Vec::new();
        for (field, taken) in self.node.fields.iter().zip(&mut self.taken) {
            if field.is(key) {
                *taken = true;
                if field.form != Form::Broken {
                    nodes.push(field);
                }
            }
        }
        nodes
    }
}

/// Reports a list under a key of the user's own.
fn found_list(node: &Node, diagnostics: &mut Diagnostics) {
    let message = format!("`{}` is one thing, found a list", quote(&node.key.value));
    diagnostics.push(Diagnostic::error(codes::WRONG_TYPE, node.span(), message));
}

/// An empty list of what can be said again and again.
fn is_empty_list(node: &Node, shape: &'static shape::Block) -> bool {
    let occurs = shape.field(&node.key.value).map(|field| field.occurs);
    node.form == Form::EmptyList && matches!(occurs, Some(shape::Occurs::Many | shape::Occurs::Named))
}

/// An empty list, or no entries: the model has neither.
fn says_nothing(node: &Node, shape: &'static shape::Block) -> bool {
    let says = shape.field(&node.key.value).map(|field| field.says);
    let no_entries = matches!(says, Some(shape::Says::Entries)) && node.fields.is_empty() && node.arguments.is_empty();
    no_entries || is_empty_list(node, shape)
}

impl Node<'_> {
    /// Whether it is a field of this key. Each field of the model asks each node: most differ at the first letter.
    fn is(&self, key: &str) -> bool {
        let own = self.key.value.as_bytes();
        own.len() == key.len() && own.first() == key.as_bytes().first() && own == key.as_bytes()
    }

    /// A mapping that has its own name among its fields, as in a list.
    pub(crate) fn names_itself(&self, name: &str) -> bool {
        self.fields.iter().any(|field| field.key.value == name && !field.arguments.is_empty())
    }
}
