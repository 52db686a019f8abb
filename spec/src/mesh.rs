//! What a mesh is. Every name and value keeps the place where the user wrote it.

pub mod gateway;
pub mod node;
pub mod policy;
pub mod route;
pub mod service;

use std::time::Duration;

pub use gateway::{Gateway, GatewayHost};
pub use node::{Calls, Node, Serve};
pub use policy::{
    Annotation, BasicAuth, CircuitBreaker, Fault, FaultAbort, FaultDelay, HeaderRouting, HealthCheck, Retry,
    RetryCondition, RoutingRule,
};
pub use route::{HeaderMatch, HeaderValueMatch, PathMatch, Route, Target};
pub use service::{Address, Endpoint, Service};

use crate::names::Name;
use crate::source::Spanned;

/// A mesh as its sources say it: nothing is resolved, nothing is defaulted.
///
/// Lists keep the order of the source. Equality ignores places.
#[derive(Clone, Debug, PartialEq)]
pub struct Mesh {
    pub name: Spanned<Name>,
    pub defaults: Defaults,
    pub services: Vec<Service>,
    pub nodes: Vec<Node>,
    pub gateways: Vec<Gateway>,
}

/// What holds for every service, node and gateway that does not say otherwise.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Defaults {
    /// Time limit of a request, retries included.
    pub timeout: Option<Spanned<Duration>>,
    pub access_log: Option<Spanned<AccessLog>>,
}

/// Where and how requests are logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessLog {
    /// One JSON object a request on standard output.
    Json,
    Off,
}
