//! Rules that send requests elsewhere by their headers.

use super::{Engine, HeaderMatch};
use crate::block::Block;
use crate::names::Name;
use crate::source::Spanned;
use crate::value::mesh;

/// Ordered rules that send a request to another service by its headers; the first match wins.
#[derive(Clone, Debug, PartialEq, Block)]
#[block(what = "header routing", not_empty)]
pub struct HeaderRouting {
    /// The rules, in order.
    #[field(key = "rule")]
    pub rules: Vec<RoutingRule>,
    /// What compares the headers; what the filter cannot compare, the route table does in any case.
    #[field(default = "wasm")]
    pub engine: Option<Spanned<Engine>>,
}

/// Requests whose headers all match go to `to`.
#[derive(Clone, Debug, PartialEq, Block)]
#[block(what = "a rule", line, check = crate::decode::rule_names_a_header)]
pub struct RoutingRule {
    /// The service.
    #[field(value = mesh::NAME)]
    pub to: Spanned<Name>,
    /// Conditions on headers: all must hold.
    #[field(key = "header")]
    pub headers: Vec<HeaderMatch>,
}
