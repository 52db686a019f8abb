//! Nodes and gateways with their names resolved.

use std::net::IpAddr;
use std::time::Duration;

use policy::{HeadersConfig, MaintenanceConfig, RequestIdConfig};
use spec::Name;
use spec::mesh::{
    AccessLog, Address, Cors, Egress, HeaderEdits, IpAccess, OutlierDetection, Protocol, RateLimit, Retry, Stats,
    Tracing, TransparentProxy,
};

use super::{
    ApiKey, Authorization, BasicAuth, Certificate, CircuitBreaker, ClientTls, ExternalAuth, Fault, FilterUse,
    HmacSignature, Id, Jwt, Overlay, Route, ServerTls, Service, Target,
};

#[derive(Clone, Debug)]
pub struct Node {
    pub name: Name,
    /// There is no sidecar: the application, which only calls, asks the control plane itself.
    pub proxyless: bool,
    pub serves: Vec<Serve>,
    /// In the order of the services' names, each once.
    pub calls: Vec<Call>,
    pub transparent_proxy: Option<TransparentProxy>,
    pub at: Situation,
}

/// What every proxy says of itself, with what `defaults` says filled in.
#[derive(Clone, Debug)]
pub struct Situation {
    pub bind: Option<IpAddr>,
    pub region: Option<String>,
    pub zone: Option<String>,
    pub egress: Option<Egress>,
    pub access_log: Option<AccessLog>,
    pub tracing: Option<Tracing>,
    pub stats: Option<Stats>,
    pub filters: Vec<FilterUse>,
    /// Its own, after those of the mesh.
    pub overlays: Vec<Overlay>,
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

/// A called service, and what this caller says of it in place of what the service says.
#[derive(Clone, Debug)]
pub struct Call {
    pub service: Id<Service>,
    /// A listener for this service alone.
    pub local: Option<(IpAddr, u16)>,
    pub timeout: Option<Duration>,
    pub retry: Option<Retry>,
    pub circuit_breaker: Option<CircuitBreaker>,
    pub outlier_detection: Option<OutlierDetection>,
    /// `Some(None)`: not encrypted, whatever the service says.
    pub client_tls: Option<Option<ClientTls>>,
}

#[derive(Clone, Debug)]
pub struct Gateway {
    pub name: Name,
    /// Never empty.
    pub listen: Vec<Listener>,
    pub trusted_hops: u32,
    pub timeout: Option<Duration>,
    pub idle_timeout: Option<Duration>,
    pub retry: Option<Retry>,
    /// Services reachable by their own name.
    pub calls: Vec<Call>,
    pub hosts: Vec<GatewayHost>,
    pub basic_auth: Option<BasicAuth>,
    pub jwt: Option<Jwt>,
    pub api_key: Option<ApiKey>,
    pub hmac_signature: Option<HmacSignature>,
    pub external_auth: Option<ExternalAuth>,
    pub authorization: Option<Authorization>,
    pub ip_access: Option<IpAccess>,
    pub rate_limits: Vec<RateLimit>,
    pub cors: Option<Cors>,
    pub request_headers: Option<HeaderEdits>,
    pub response_headers: Option<HeaderEdits>,
    pub headers: Option<HeadersConfig>,
    pub request_id: Option<RequestIdConfig>,
    /// `None` where it is switched off.
    pub maintenance: Option<MaintenanceConfig>,
    pub at: Situation,
}

/// A port of a gateway.
#[derive(Clone, Debug)]
pub struct Listener {
    pub port: u16,
    pub protocol: Protocol,
    pub tls: Option<ServerTls>,
    /// Where the bytes of a `tcp` listener go.
    pub targets: Vec<Target>,
}

/// A host name of the outside world.
#[derive(Clone, Debug)]
pub struct GatewayHost {
    /// Lower case, without the port.
    pub pattern: String,
    /// Only on the listener of this port.
    pub port: Option<u16>,
    pub certificate: Option<Certificate>,
    /// In the order in which they are tried; the host's own targets last.
    pub routes: Vec<Route>,
    pub cors: Option<Cors>,
    pub rate_limits: Vec<RateLimit>,
    pub request_headers: Option<HeaderEdits>,
    pub response_headers: Option<HeaderEdits>,
}

impl Call {
    /// As the service says.
    pub fn plain(service: Id<Service>) -> Self {
        Self {
            service,
            local: None,
            timeout: None,
            retry: None,
            circuit_breaker: None,
            outlier_detection: None,
            client_tls: None,
        }
    }
}
