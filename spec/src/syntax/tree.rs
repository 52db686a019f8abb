//! The tree both syntaxes become: keys with arguments and fields, each with its place.

use crate::source::{Span, Spanned};

/// One thing said. KDL's `delay "50ms" percent=15` and YAML's `delay: {duration: 50ms, percent: 15}`
/// differ only in whether a value is an argument or a field; the decoder takes either.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    /// The place is where to point when something is wrong with the node as a whole.
    pub(crate) key: Spanned<String>,
    pub(crate) arguments: Vec<Scalar>,
    /// KDL's properties and children, YAML's mapping entries.
    pub(crate) fields: Vec<Node>,
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
pub(crate) struct Scalar {
    pub(crate) kind: Kind,
    /// Text without its quotes; numbers as they were written.
    pub(crate) text: String,
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
}

impl Node {
    pub(crate) fn span(&self) -> Span {
        self.key.span
    }
}
