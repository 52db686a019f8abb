//! A service with its names resolved.

use std::time::Duration;

use policy::{HeadersConfig, MaintenanceConfig, RequestIdConfig};
use spec::Name;
use spec::mesh::{
    Address, CloudMap, ConnectionPool, Cors, Dns, EcsDiscovery, Entry, HeaderEdits, HealthCheckProtocol, Inbound,
    IpAccess, LoadBalancing, OutlierDetection, Protocol, RateLimit, Retry,
};
use spec::units::StatusRange;

use super::{
    ApiKey, Authorization, BasicAuth, ClientTls, Destination, ExternalAuth, Fault, FilterUse, HmacSignature, Id, Jwt,
    Mirror, Node, Overlay, Route, RoutingRule, ServerTls,
};

/// A service, with what `defaults` says filled in.
#[derive(Clone, Debug)]
pub struct Service {
    pub name: Name,
    pub protocol: Protocol,
    /// By which callers name it, where they name one.
    pub port: Option<u16>,
    /// Zero: no limit.
    pub timeout: Duration,
    /// `None`: Envoy's five minutes. Zero: no limit.
    pub idle_timeout: Option<Duration>,
    pub discovery: Discovery,
    pub endpoints: Vec<Endpoint>,
    pub subsets: Vec<Subset>,
    /// An index into `subsets`.
    pub default_subset: Option<usize>,
    pub health_check: Option<HealthCheck>,
    pub circuit_breaker: CircuitBreaker,
    pub connection_pool: Option<ConnectionPool>,
    pub outlier_detection: Option<OutlierDetection>,
    pub load_balancing: Option<LoadBalancing>,
    pub failover: Vec<Destination>,
    pub retry: Option<Retry>,
    /// In the order in which they are tried.
    pub routes: Vec<Route>,
    pub mirrors: Vec<Mirror>,
    pub request_headers: Option<HeaderEdits>,
    pub response_headers: Option<HeaderEdits>,
    pub headers: Option<HeadersConfig>,
    pub request_id: Option<RequestIdConfig>,
    /// `None` where it is switched off.
    pub maintenance: Option<MaintenanceConfig>,
    pub fault: Option<Fault>,
    pub ip_access: Option<IpAccess>,
    pub rate_limits: Vec<RateLimit>,
    pub cors: Option<Cors>,
    pub basic_auth: Option<BasicAuth>,
    pub jwt: Option<Jwt>,
    pub api_key: Option<ApiKey>,
    pub hmac_signature: Option<HmacSignature>,
    pub external_auth: Option<ExternalAuth>,
    pub authorization: Option<Authorization>,
    pub tls: Option<ServerTls>,
    pub client_tls: Option<ClientTls>,
    pub inbound: Option<Inbound>,
    pub header_routing: Vec<RoutingRule>,
    pub filters: Vec<FilterUse>,
    pub overlays: Vec<Overlay>,
}

/// Who says where a service runs.
#[derive(Clone, Debug, PartialEq)]
pub enum Discovery {
    /// The mesh itself: `endpoints`.
    Said,
    Dns(Dns),
    Ecs(EcsDiscovery),
    CloudMap(CloudMap),
}

/// Where a service runs: behind a node's sidecar, or outside the mesh.
#[derive(Clone, Debug, PartialEq)]
pub struct Endpoint {
    /// The application's address, as written.
    pub address: Address,
    pub weight: u32,
    /// `None`: callers dial the address itself.
    pub node: Option<Id<Node>>,
    /// Where that node's sidecar is dialled.
    pub ingress_port: u16,
    pub priority: u32,
    /// As said, else its node's.
    pub region: Option<String>,
    /// As said, else its node's.
    pub zone: Option<String>,
    pub labels: Vec<Entry>,
}

/// A part of a service's endpoints.
#[derive(Clone, Debug, PartialEq)]
pub struct Subset {
    pub name: String,
    pub labels: Vec<Entry>,
}

#[derive(Clone, Debug)]
pub struct HealthCheck {
    pub protocol: HealthCheckProtocol,
    pub path: String,
    /// The `Host` that is asked for.
    pub host: String,
    pub grpc_service: Option<String>,
    pub interval: Duration,
    pub timeout: Duration,
    pub cache: Duration,
    pub port: Option<u16>,
    pub expect: StatusRange,
    pub healthy_threshold: u32,
    pub unhealthy_threshold: u32,
}

/// Absent: Envoy's own default (1024, 1024, 1024, 3).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CircuitBreaker {
    pub max_connections: Option<u32>,
    pub max_pending: Option<u32>,
    pub max_requests: Option<u32>,
    pub max_retries: Option<u32>,
}

impl Service {
    /// What it speaks is made of requests.
    pub fn is_http(&self) -> bool {
        self.protocol != Protocol::Tcp
    }

    /// What it speaks is HTTP/2.
    pub fn is_http2(&self) -> bool {
        matches!(self.protocol, Protocol::Http2 | Protocol::Grpc)
    }
}

impl HealthCheck {
    /// The path that is asked; `None` where a connection is enough.
    pub fn asked_path(&self) -> Option<&str> {
        match self.protocol {
            HealthCheckProtocol::Http | HealthCheckProtocol::Http2 => Some(&self.path),
            HealthCheckProtocol::Grpc => Some(policy::GRPC_HEALTH_CHECK),
            HealthCheckProtocol::Tcp => None,
        }
    }
}

impl Subset {
    /// Whether an endpoint belongs to it: it has all its labels.
    pub fn takes(&self, endpoint: &Endpoint) -> bool {
        self.labels.iter().all(|label| {
            let same = |its: &Entry| its.key.value == label.key.value && its.value.value == label.value.value;
            endpoint.labels.iter().any(same)
        })
    }
}
