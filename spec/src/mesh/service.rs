//! A service: a host name that callers use, and where it runs.

use std::time::Duration;

use super::{
    ApiKey, Authorization, BasicAuth, CircuitBreaker, ClientTls, CloudMap, ConnectionPool, Cors, Dns, EcsDiscovery,
    Endpoint, Entry, ExternalAuth, Failover, Fault, FilterUse, HeaderEdits, HeaderRouting, Headers, HealthCheck,
    HmacSignature, Inbound, IpAccess, Jwt, LoadBalancing, Maintenance, Mirror, OutlierDetection, Overlay, RateLimit,
    RequestId, Retry, Route, ServerTls, Subset,
};
use crate::block::{Block, Word};
use crate::names::Name;
use crate::source::{Span, Spanned};
use crate::value::{mesh, network, text};

// Blocks are boxed: most services have few of them, and a mesh has thousands of services.
/// A service and everything said of it: how it is called, what it is, and how its sidecars protect it.
#[derive(Clone, Debug, PartialEq, Block)]
#[block(what = "a service")]
pub struct Service {
    /// The host name that callers put in `Host`.
    #[field(name, value = mesh::NAME)]
    pub name: Spanned<Name>,
    /// What it speaks.
    #[field(default = "http")]
    pub protocol: Option<Spanned<Protocol>>,
    /// The port by which callers name it, where they do: `NAME:PORT`, transparent interception, TCP.
    #[field(value = network::PORT)]
    pub port: Option<Spanned<u16>>,
    /// Time limit of a request, retries included; 0s for none.
    #[field(default = "15s")]
    pub timeout: Option<Spanned<Duration>>,
    /// Time limit of a stream on which nothing happens; 0s for none.
    #[field(default = "5m")]
    pub idle_timeout: Option<Spanned<Duration>>,
    /// Where it runs.
    #[field(key = "endpoint")]
    pub endpoints: Vec<Endpoint>,
    /// Endpoints that DNS tells.
    pub dns: Option<Box<Dns>>,
    /// Endpoints that ECS tells.
    pub ecs: Option<Box<EcsDiscovery>>,
    /// Endpoints that Cloud Map tells.
    pub cloud_map: Option<Box<CloudMap>>,
    /// Parts of the endpoints, chosen by their labels.
    #[field(named, key = "subset")]
    pub subsets: Vec<Subset>,
    /// The subset of requests that name none.
    #[field(value = text::LABEL)]
    pub default_subset: Option<Spanned<String>>,
    /// Active health checking.
    pub health_check: Option<Box<HealthCheck>>,
    /// Limits on what one caller has open towards the service.
    pub circuit_breaker: Option<Box<CircuitBreaker>>,
    /// Connections of callers to the service.
    pub connection_pool: Option<Box<ConnectionPool>>,
    /// When endpoints that fail requests are left out for a while.
    pub outlier_detection: Option<Box<OutlierDetection>>,
    /// How requests are shared out among the endpoints.
    pub load_balancing: Option<Box<LoadBalancing>>,
    /// Where requests go when too few endpoints are healthy: in this order.
    pub failover: Vec<Failover>,
    /// Further tries of failed requests.
    pub retry: Option<Box<Retry>>,
    /// First match wins; what no route takes goes to the service itself.
    #[field(key = "route")]
    pub routes: Vec<Route>,
    /// Copies of requests that go elsewhere too.
    #[field(key = "mirror")]
    pub mirrors: Vec<Mirror>,
    /// Changes to the headers of requests.
    pub request_headers: Option<Box<HeaderEdits>>,
    /// Changes to the headers of responses.
    pub response_headers: Option<Box<HeaderEdits>>,
    /// Changes of headers at the service's own sidecars, with values made of the request.
    pub headers: Option<Box<Headers>>,
    /// An id for each request.
    pub request_id: Option<Box<RequestId>>,
    /// Answers in place of the service while it is being worked on.
    pub maintenance: Option<Box<Maintenance>>,
    /// Deliberate failure of a share of requests.
    pub fault: Option<Box<Fault>>,
    /// Which addresses may send requests.
    pub ip_access: Option<Box<IpAccess>>,
    /// How many requests each sidecar of the service accepts.
    #[field(key = "rate-limit")]
    pub rate_limits: Vec<RateLimit>,
    /// Which web pages of other origins may call the service.
    pub cors: Option<Box<Cors>>,
    /// User names and passwords.
    pub basic_auth: Option<Box<BasicAuth>>,
    /// Signed tokens.
    pub jwt: Option<Jwt>,
    /// Keys of callers.
    pub api_key: Option<Box<ApiKey>>,
    /// Requests that their callers have signed.
    pub hmac_signature: Option<Box<HmacSignature>>,
    /// Another server is asked about each request.
    pub external_auth: Option<Box<ExternalAuth>>,
    /// Who may call what.
    pub authorization: Option<Authorization>,
    /// How the service accepts connections of callers.
    pub tls: Option<Box<ServerTls>>,
    /// How callers connect to the service.
    pub client_tls: Option<Box<ClientTls>>,
    /// Limits that the service's own sidecars enforce.
    pub inbound: Option<Box<Inbound>>,
    /// Rules that send requests elsewhere by their headers, before any route.
    pub header_routing: Option<HeaderRouting>,
    /// Wasm filters of the user's own.
    #[field(key = "filter")]
    pub filters: Vec<FilterUse>,
    /// Changes to the Envoy configuration itself.
    #[field(key = "envoy-overlay")]
    pub overlays: Vec<Overlay>,
    /// The same and more, as docker labels say it.
    #[field(entries)]
    pub annotations: Vec<Entry>,
}

/// What a service speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Word)]
pub enum Protocol {
    /// HTTP/1.1 to the application.
    Http,
    /// HTTP/2 without TLS to the application.
    Http2,
    /// gRPC, on HTTP/2.
    Grpc,
    /// Bytes: routes without conditions, no HTTP policies.
    Tcp,
}

impl Service {
    /// A service of which nothing but the name is said.
    pub fn named(name: Spanned<Name>) -> Self {
        Self {
            name,
            protocol: None,
            port: None,
            timeout: None,
            idle_timeout: None,
            endpoints: Vec::new(),
            dns: None,
            ecs: None,
            cloud_map: None,
            subsets: Vec::new(),
            default_subset: None,
            health_check: None,
            circuit_breaker: None,
            connection_pool: None,
            outlier_detection: None,
            load_balancing: None,
            failover: Vec::new(),
            retry: None,
            routes: Vec::new(),
            mirrors: Vec::new(),
            request_headers: None,
            response_headers: None,
            headers: None,
            request_id: None,
            maintenance: None,
            fault: None,
            ip_access: None,
            rate_limits: Vec::new(),
            cors: None,
            basic_auth: None,
            jwt: None,
            api_key: None,
            hmac_signature: None,
            external_auth: None,
            authorization: None,
            tls: None,
            client_tls: None,
            inbound: None,
            header_routing: None,
            filters: Vec::new(),
            overlays: Vec::new(),
            annotations: Vec::new(),
        }
    }

    /// Where the service was declared.
    pub fn span(&self) -> Span {
        self.name.span
    }
}
