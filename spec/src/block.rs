//! What `derive(Block)` and `derive(Choice)` make.

pub(crate) use spec_derive::{Block, Choice, Word};

use crate::decode::Fields;
use crate::diagnostic::Diagnostics;
use crate::shape;
use crate::source::Span;
use crate::syntax::tree::Node;

/// Something with fields.
pub(crate) trait Block: Sized {
    const SHAPE: &'static shape::Block;

    /// Reads its fields. `None` after something that is needed was missing or wrong, which is reported.
    fn decode(fields: &mut Fields<'_>, diagnostics: &mut Diagnostics) -> Option<Self>;

    /// Adds its fields to a node, in the order of the model.
    fn encode(&self, node: &mut Node<'_>);
}

/// Fields of which one is said.
pub(crate) trait Choice: Sized {
    /// Its fields are the alternatives.
    const SHAPE: &'static shape::Block;

    /// Reads the alternative that is said.
    fn decode_said(key: &'static str, fields: &mut Fields<'_>, diagnostics: &mut Diagnostics) -> Option<Self>;

    /// Adds what is said to the node that holds the choice.
    fn encode(&self, span: Span, node: &mut Node<'_>);
}

impl<B: Block> Block for Box<B> {
    const SHAPE: &'static shape::Block = B::SHAPE;

    fn decode(fields: &mut Fields<'_>, diagnostics: &mut Diagnostics) -> Option<Self> {
        B::decode(fields, diagnostics).map(Box::new)
    }

    fn encode(&self, node: &mut Node<'_>) {
        B::encode(self, node);
    }
}
