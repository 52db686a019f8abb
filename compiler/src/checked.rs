//! A mesh whose names are resolved and whose values are defaulted: the only input of lowering.
//!
//! Only [`crate::check`] makes one, so nothing after it has doubts: every [`Id`] points into its table,
//! every number is in range, every file that was named has been read.

use std::fmt;
use std::marker::PhantomData;
use std::net::IpAddr;
use std::time::Duration;

use policy::BasicAuthUser;
use spec::Name;
use spec::mesh::{AccessLogFormat, Address, HeaderMatch, PathMatch, RetryCondition};
use spec::units::{Percent, StatusRange};

/// An index into one table of a [`CheckedMesh`]: proof that a name resolved.
pub struct Id<T>(u32, PhantomData<fn() -> T>);

/// A mesh without mistakes.
#[derive(Clone, Debug)]
pub struct CheckedMesh {
    pub(crate) name: Name,
    pub(crate) access_log: AccessLogFormat,
    pub(crate) services: Vec<Service>,
    pub(crate) nodes: Vec<Node>,
    pub(crate) gateways: Vec<Gateway>,
}

/// One Envoy to configure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proxy {
    Node(Id<Node>),
    Gateway(Id<Gateway>),
}

/// A service, with every default filled in.
#[derive(Clone, Debug)]
pub struct Service {
    pub name: Name,
    pub endpoints: Vec<Endpoint>,
    pub routes: Vec<Route>,
    pub timeout: Duration,
    pub retry: Option<Retry>,
    pub health_check: Option<HealthCheck>,
    pub circuit_breaker: CircuitBreaker,
    pub fault: Option<Fault>,
    pub basic_auth: Option<BasicAuth>,
    pub header_routing: Vec<RoutingRule>,
}

/// Where a service runs: behind a node's sidecar, or outside the mesh.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// The application's address, as written.
    pub address: Address,
    pub weight: u32,
    /// `None`: callers dial the address itself.
    pub node: Option<Id<Node>>,
}

#[derive(Clone, Debug)]
pub struct Node {
    pub name: Name,
    pub serves: Vec<Serve>,
    /// In the order of the mesh's services, without repetition.
    pub calls: Vec<Id<Service>>,
    pub bind: Option<IpAddr>,
}

#[derive(Clone, Debug)]
pub struct Serve {
    pub service: Id<Service>,
    /// Where the sidecar finds the application. Never empty.
    pub upstreams: Vec<Upstream>,
    /// What holds on this node: its own fault, else the service's.
    pub fault: Option<Fault>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upstream {
    pub address: Address,
    pub weight: u32,
}

#[derive(Clone, Debug)]
pub struct Gateway {
    pub name: Name,
    pub listen: u16,
    pub bind: Option<IpAddr>,
    pub trusted_hops: u32,
    /// Services reachable by their own name.
    pub services: Vec<Id<Service>>,
    pub hosts: Vec<GatewayHost>,
    pub basic_auth: Option<BasicAuth>,
    pub timeout: Option<Duration>,
    pub retry: Option<Retry>,
}

#[derive(Clone, Debug)]
pub struct GatewayHost {
    /// Lower case.
    pub pattern: String,
    pub routes: Vec<Route>,
}

#[derive(Clone, Debug)]
pub struct Route {
    pub path: PathMatch,
    pub headers: Vec<HeaderMatch>,
    /// Never empty; the weights' sum is positive and fits `u32`.
    pub targets: Vec<Target>,
    pub timeout: Option<Duration>,
    pub retry: Option<Retry>,
}

#[derive(Clone, Copy, Debug)]
pub struct Target {
    pub service: Id<Service>,
    pub weight: u32,
}

#[derive(Clone, Debug)]
pub struct RoutingRule {
    pub to: Id<Service>,
    pub headers: Vec<HeaderMatch>,
}

#[derive(Clone, Debug)]
pub struct HealthCheck {
    pub path: String,
    pub interval: Duration,
    pub timeout: Duration,
    pub cache: Duration,
    pub port: Option<u16>,
    pub expect: StatusRange,
    pub healthy_threshold: u32,
    pub unhealthy_threshold: u32,
}

/// Absent: Envoy's own default (1024, 1024, 1024, 3).
#[derive(Clone, Debug, Default)]
pub struct CircuitBreaker {
    pub max_connections: Option<u32>,
    pub max_pending: Option<u32>,
    pub max_requests: Option<u32>,
    pub max_retries: Option<u32>,
}

#[derive(Clone, Debug)]
pub struct Retry {
    pub attempts: u32,
    /// Never empty.
    pub on: Vec<RetryCondition>,
    pub per_try_timeout: Option<Duration>,
}

#[derive(Clone, Debug)]
pub struct Fault {
    pub delay: Option<(Duration, Percent)>,
    pub abort: Option<(u16, Percent)>,
}

#[derive(Clone, Debug)]
pub struct BasicAuth {
    pub realm: String,
    /// Never empty.
    pub users: Vec<BasicAuthUser>,
    pub forward_user_header: Option<String>,
}

impl CheckedMesh {
    pub fn name(&self) -> &Name {
        &self.name
    }

    pub fn service(&self, id: Id<Service>) -> &Service {
        &self.services[id.index()]
    }

    pub fn node(&self, id: Id<Node>) -> &Node {
        &self.nodes[id.index()]
    }

    pub fn gateway(&self, id: Id<Gateway>) -> &Gateway {
        &self.gateways[id.index()]
    }

    /// Services in the order of the source.
    pub fn services(&self) -> impl Iterator<Item = (Id<Service>, &Service)> {
        self.services.iter().enumerate().map(|(index, service)| (Id::new(index), service))
    }

    /// Nodes in the order of the source.
    pub fn nodes(&self) -> impl Iterator<Item = (Id<Node>, &Node)> {
        self.nodes.iter().enumerate().map(|(index, node)| (Id::new(index), node))
    }

    /// Gateways in the order of the source.
    pub fn gateways(&self) -> impl Iterator<Item = (Id<Gateway>, &Gateway)> {
        self.gateways.iter().enumerate().map(|(index, gateway)| (Id::new(index), gateway))
    }

    /// Every Envoy of the mesh: nodes, then gateways.
    pub fn proxies(&self) -> impl Iterator<Item = Proxy> {
        let nodes = self.nodes().map(|(id, _)| Proxy::Node(id));
        nodes.chain(self.gateways().map(|(id, _)| Proxy::Gateway(id)))
    }

    pub fn proxy_name(&self, proxy: Proxy) -> &Name {
        match proxy {
            Proxy::Node(id) => &self.node(id).name,
            Proxy::Gateway(id) => &self.gateway(id).name,
        }
    }
}

impl<T> Id<T> {
    pub(crate) fn new(index: usize) -> Self {
        Self(u32::try_from(index).unwrap_or(u32::MAX), PhantomData)
    }

    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl<T> Clone for Id<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Id<T> {}

impl<T> PartialEq for Id<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<T> Eq for Id<T> {}

impl<T> PartialOrd for Id<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Id<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp(&other.0)
    }
}

impl<T> fmt::Debug for Id<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "#{}", self.0)
    }
}
