//! The tree both syntaxes become: keys with arguments and fields, each with its place.

use std::borrow::Cow;

use crate::block::Block;
use crate::mesh::Entry;
use crate::source::{Span, Spanned};
use crate::value::Reader;

// Texts are those of the file wherever they stand there as they are: a mesh has a hundred thousand of them.
/// One thing said. KDL's `delay "50ms" percent=15` and YAML's `delay: {duration: 50ms, percent: 15}`
/// differ only in whether a value is an argument or a field; the decoder takes either.
#[derive(Clone, Debug)]
pub(crate) struct Node<'t> {
    /// The place is where to point when something is wrong with the node as a whole.
    pub(crate) key: Spanned<Cow<'t, str>>,
    pub(crate) arguments: Vec<Scalar<'t>>,
    /// KDL's properties and children, YAML's mapping entries.
    pub(crate) fields: Vec<Node<'t>>,
    pub(crate) form: Form,
}

/// How a node was written, where that changes its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// KDL nodes and properties, and YAML entries whose value is a scalar or a mapping.
    Plain,
    /// One item of a YAML list; the key is that of the list.
    ListItem,
    /// `key: []`. Kept so that an unknown key is still found.
    EmptyList,
    /// A line that was not understood, and reported: the key was said, and nothing else is known.
    Broken,
}

/// A value without inner structure.
#[derive(Clone, Debug)]
pub(crate) struct Scalar<'t> {
    pub(crate) kind: Kind,
    /// Text without its quotes; numbers as they were written.
    pub(crate) text: Cow<'t, str>,
    pub(crate) span: Span,
}

/// What a scalar is by the rules of its syntax.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Integer(i128),
    Decimal,
    Bool(bool),
    Null,
    /// What a variable stands for: text, number or boolean, as the field wants.
    Variable,
}

impl<'t> Node<'t> {
    pub(crate) fn new(key: impl Into<Cow<'t, str>>, span: Span) -> Self {
        let key = Spanned::new(key.into(), span);
        Self { key, arguments: Vec::new(), fields: Vec::new(), form: Form::Plain }
    }

    pub(crate) fn span(&self) -> Span {
        self.key.span
    }

    /// Adds a value that is an argument.
    pub(crate) fn push_main<T>(&mut self, reader: Reader<T>, said: &Spanned<T>) {
        self.arguments.push(reader.write(&said.value, said.span));
    }

    pub(crate) fn push_value<T>(&mut self, key: &'static str, reader: Reader<T>, value: &T, span: Span) {
        self.push_scalar(key, reader.write(value, span));
    }

    pub(crate) fn push_flag(&mut self, key: &'static str, span: Span) {
        self.push_scalar(key, Scalar { kind: Kind::Bool(true), text: "true".into(), span });
    }

    /// Adds a list of values. Nothing is said of an empty one.
    pub(crate) fn push_values<T>(&mut self, key: &'static str, reader: Reader<T>, values: &[Spanned<T>]) {
        let Some(first) = values.first() else { return };
        let mut node = Self::new(key, first.span);
        node.arguments = values.iter().map(|said| reader.write(&said.value, said.span)).collect();
        self.fields.push(node);
    }

    pub(crate) fn push_entries(&mut self, key: &'static str, entries: &[Entry]) {
        let Some(first) = entries.first() else { return };
        let mut node = Self::new(key, first.key.span);
        for entry in entries {
            let scalar = Scalar { kind: Kind::Text, text: entry.value.value.clone().into(), span: entry.value.span };
            let key = Node::new(entry.key.value.clone(), entry.key.span);
            node.fields.push(Node { arguments: vec![scalar], ..key });
        }
        self.fields.push(node);
    }

    pub(crate) fn push_block(&mut self, key: &'static str, block: &impl Block, span: Span) {
        let mut node = Self::new(key, span);
        block.encode(&mut node);
        self.fields.push(node);
    }

    pub(crate) fn push_blocks<B: Block>(&mut self, key: &'static str, blocks: &[B], span: Span) {
        for block in blocks {
            self.push_block(key, block, span);
        }
    }

    fn push_scalar(&mut self, key: &'static str, scalar: Scalar<'t>) {
        let node = Self::new(key, scalar.span);
        self.fields.push(Self { arguments: vec![scalar], ..node });
    }
}
