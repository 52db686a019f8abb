//! How findings are weighed.

use super::Place;
use crate::block::{Block, Word};
use crate::source::Spanned;
use crate::value::text;

/// How findings are weighed.
#[derive(Clone, Debug, Default, PartialEq, Block)]
#[block(what = "a rules block")]
pub struct Rules {
    /// Rules by their code.
    #[field(named, key = "rule")]
    pub levels: Vec<RuleLevel>,
    #[field(place)]
    pub place: Place,
}

/// How one rule is weighed.
#[derive(Clone, Debug, PartialEq, Block)]
#[block(what = "a rule's level", line)]
pub struct RuleLevel {
    /// The rule's code, such as `unreachable-route`.
    #[field(name, value = text::LABEL)]
    pub code: Spanned<String>,
    /// How much it weighs.
    pub level: Spanned<Level>,
    /// Why; needed to turn a rule off.
    pub reason: Option<Spanned<String>>,
}

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Word)]
pub enum Level {
    /// It is not reported.
    Off,
    /// It is told.
    Note,
    /// It is told, and counted.
    Warning,
    /// The mesh is refused.
    Error,
}
