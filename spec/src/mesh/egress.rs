//! What may be reached outside the mesh.

use super::Place;
use crate::block::{Block, Word};
use crate::source::Spanned;
use crate::value::{http, network};

/// What may be reached outside the mesh.
#[derive(Clone, Debug, PartialEq, Block)]
#[block(what = "an egress policy")]
pub struct Egress {
    /// The policy.
    #[field(main)]
    pub policy: Spanned<EgressPolicy>,
    /// Hosts that may be reached, for `listed`.
    #[field(key = "host")]
    pub hosts: Vec<EgressHost>,
    #[field(place)]
    pub place: Place,
}

/// Whether hosts outside the mesh may be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Word)]
pub enum EgressPolicy {
    /// None.
    None,
    /// Those listed.
    Listed,
    /// Any, apart from metadata services and the sidecar's own ports.
    AllowAll,
}

/// A host outside the mesh.
#[derive(Clone, Debug, PartialEq, Block)]
#[block(what = "an egress host", line)]
pub struct EgressHost {
    /// Its name; a leading `*.` takes every name below.
    #[field(main, value = http::EGRESS_HOST)]
    pub name: Spanned<String>,
    /// Its ports.
    #[field(key = "port", value = network::PORT, default = "443")]
    pub ports: Vec<Spanned<u16>>,
    /// Whether the sidecar opens TLS for the application, which speaks plain HTTP.
    #[field(default = "false")]
    pub originate_tls: Option<Spanned<bool>>,
}
