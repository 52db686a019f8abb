//! A service: a host name that callers use, and where it runs.

use std::time::Duration;

use super::policy::{Annotation, BasicAuth, CircuitBreaker, Fault, HeaderRouting, HealthCheck, Retry};
use super::route::Route;
use crate::names::Name;
use crate::source::{Span, Spanned};

/// A service and everything said of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Service {
    /// The host name that callers put in `Host`.
    pub name: Spanned<Name>,
    pub endpoints: Vec<Endpoint>,
    /// First match wins; what no route takes goes to the service itself.
    pub routes: Vec<Route>,
    pub timeout: Option<Spanned<Duration>>,
    pub retry: Option<Retry>,
    pub health_check: Option<HealthCheck>,
    pub circuit_breaker: Option<CircuitBreaker>,
    pub fault: Option<Fault>,
    pub basic_auth: Option<BasicAuth>,
    pub header_routing: Option<HeaderRouting>,
    pub annotations: Vec<Annotation>,
}

/// One place where a service runs, as its callers reach it.
///
/// Callers dial the sidecar of the node it belongs to (port 4100), or, outside the mesh, the address as written.
#[derive(Clone, Debug, PartialEq)]
pub struct Endpoint {
    pub address: Spanned<Address>,
    /// Relative to the other endpoints of the service. `1..=128`, default 64.
    pub weight: Option<Spanned<u32>>,
    /// The node whose sidecar stands before it; found by `serves` when absent.
    pub node: Option<Spanned<Name>>,
    pub annotations: Vec<Annotation>,
}

/// `HOST:PORT`. The host is an IP address (static) for now.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Address {
    pub host: std::net::IpAddr,
    pub port: u16,
}

impl Address {
    /// Reads `10.0.0.1:80` or `[fd00::1]:80`; port 1 to 65535.
    pub fn parse(text: &str) -> Option<Self> {
        let socket: std::net::SocketAddr = text.parse().ok()?;
        (socket.port() != 0).then(|| Self { host: socket.ip(), port: socket.port() })
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::net::SocketAddr::new(self.host, self.port).fmt(formatter)
    }
}

impl Service {
    /// A service of which nothing but the name is said.
    pub fn named(name: Spanned<Name>) -> Self {
        Self {
            name,
            endpoints: Vec::new(),
            routes: Vec::new(),
            timeout: None,
            retry: None,
            health_check: None,
            circuit_breaker: None,
            fault: None,
            basic_auth: None,
            header_routing: None,
            annotations: Vec::new(),
        }
    }

    /// Where the service was declared.
    pub fn span(&self) -> Span {
        self.name.span
    }
}
