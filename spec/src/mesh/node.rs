//! A node: one sidecar, the services behind it and the services it calls.

use std::net::IpAddr;

use super::policy::{Annotation, Fault};
use super::service::Endpoint;
use crate::names::Name;
use crate::source::Spanned;

/// One kind of task (or one task): all its sidecars get the same configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    pub name: Spanned<Name>,
    /// What runs beside the sidecar. Empty: a node that only calls.
    pub serves: Vec<Serve>,
    pub calls: Calls,
    /// Where its listeners bind; default all interfaces for ingress, loopback for egress.
    pub bind: Option<Spanned<IpAddr>>,
}

/// A service behind a node's sidecar.
#[derive(Clone, Debug, PartialEq)]
pub struct Serve {
    pub service: Spanned<Name>,
    /// Where the sidecar finds the application; by default the endpoint's port on 127.0.0.1.
    pub upstreams: Vec<Endpoint>,
    /// Replaces the service's fault on this node only.
    pub fault: Option<Fault>,
    pub annotations: Vec<Annotation>,
}

/// Which services a node or gateway can reach.
#[derive(Clone, Debug, PartialEq)]
pub enum Calls {
    Listed(Vec<Spanned<Name>>),
    /// `calls "*"`: every service of the mesh.
    All(Spanned<()>),
}

impl Node {
    /// A node that serves nothing and calls nothing.
    pub fn named(name: Spanned<Name>) -> Self {
        Self { name, serves: Vec::new(), calls: Calls::Listed(Vec::new()), bind: None }
    }
}
