//! Who may call what.

use super::{Cidr, Place, RouteMatch};
use crate::block::{Block, Word};
use crate::names::Name;
use crate::source::Spanned;
use crate::value::{mesh, text};

/// Ordered rules, enforced by the sidecars of the service that is called: the first that matches decides.
#[derive(Clone, Debug, PartialEq, Block)]
#[block(what = "authorization")]
pub struct Authorization {
    /// What becomes of requests that no rule takes.
    #[field(default = "deny")]
    pub default: Option<Spanned<Decision>>,
    /// The rules, in order.
    #[field(key = "rule")]
    pub rules: Vec<AccessRule>,
    #[field(place)]
    pub place: Place,
}

/// One rule: what is said of a request must all hold.
#[derive(Clone, Debug, PartialEq, Block)]
#[block(what = "an access rule", line)]
pub struct AccessRule {
    /// What becomes of the requests.
    #[field(main)]
    pub decision: Spanned<Decision>,
    /// Callers, by the service that their node serves; needs mutual TLS.
    #[field(value = mesh::NAME)]
    pub from: Vec<Spanned<Name>>,
    /// Callers, by their SPIFFE identity.
    #[field(value = text::TEXT)]
    pub from_identity: Vec<Spanned<String>>,
    /// Callers, by their address.
    pub source: Vec<Spanned<Cidr>>,
    /// Callers, by a claim of their token: `CLAIM=VALUE`.
    #[field(value = text::TEXT)]
    pub claim: Vec<Spanned<String>>,
    /// Which requests.
    #[field(inline)]
    pub matches: RouteMatch,
}

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Word)]
pub enum Decision {
    /// It passes.
    Allow,
    /// It is answered 403.
    Deny,
}
