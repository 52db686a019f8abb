//! What a mesh is, and thereby the language: a field here is a field in KDL, in YAML, in the schema and in the manual.
//!
//! Every name and value keeps the place where the user wrote it. Nothing is resolved, nothing is defaulted. Lists
//! keep the order of the source. Equality ignores places. Doc comments of fields are what users read.

pub mod action;
pub mod authentication;
pub mod authorization;
pub mod balancing;
mod basic_auth;
pub mod ecs;
pub mod egress;
pub mod endpoint;
pub mod extension;
pub mod fault;
pub mod gateway;
pub mod header_routing;
pub mod headers;
pub mod health;
pub mod ip_access;
pub mod limits;
pub mod maintenance;
pub mod node;
pub mod observability;
pub mod request_id;
pub mod retry;
pub mod route;
pub mod rules;
pub mod service;
pub mod test;
pub mod tls;
mod values;

use std::time::Duration;

pub use action::{
    Cors, HeaderEdits, HeaderValue, HostRewrite, Mirror, PathRewrite, Redirect, RegexRewrite, Respond, Rewrite,
    RouteAction, Target,
};
pub use authentication::{ApiKey, ExternalAuth, FailureMode, HmacSignature, Jwt, JwtKeys, JwtProvider};
pub use authorization::{AccessRule, Authorization, Decision};
pub use balancing::{
    Failover, HashKey, HashOn, LoadBalancing, LoadBalancingPolicy, Locality, LocalityMode, SlowStart, StickyCookie,
};
pub use basic_auth::{BasicAuth, PasswordAccess, PasswordPath, PasswordRule, UserGroup};
pub use ecs::{Ecs, Owner, Vocabulary};
pub use egress::{Egress, EgressHost, EgressPolicy};
pub use endpoint::{CloudMap, Dns, DnsMode, EcsDiscovery, Endpoint, IpFamily, Subset};
pub use extension::{
    Engine, FilterPosition, FilterUse, Overlay, OverlaySource, OverlayTarget, WasmConfiguration, WasmFailure,
    WasmFilter, WasmModuleSource,
};
pub use fault::{
    Fault, FaultAbort, FaultCallers, FaultControl, FaultDelay, FaultGrpcAbort, FaultHeader, FaultRateLimit,
    FaultSelect, FaultWindow,
};
pub use gateway::{Gateway, GatewayHost, Listener};
pub use header_routing::{
    AllOf, AnyOf, Conditions, CookieMatch, HeaderRouting, RoutingRule, SameSite, Sticky, VisitorCookie,
};
pub use headers::{Headers, TemplatedEdits, TemplatedHeader};
pub use health::{HealthCheck, HealthCheckProtocol};
pub use ip_access::IpAccess;
pub use limits::{
    CircuitBreaker, ConnectionPool, Inbound, OutlierDetection, RateLimit, RateLimitHeaders, RateLimitKey,
    RateLimitKeySource, TcpKeepalive, Unkeyed,
};
pub use maintenance::{Maintenance, MaintenanceWeekly, MaintenanceWindow, PassSecret, Weekday};
pub use node::{Call, Node, Serve, TransparentProxy};
pub use observability::{
    AccessLog, AccessLogFormat, Prometheus, SinkServer, Stats, StatsSink, Tracing, TracingProvider,
};
pub use request_id::{RequestId, RequestIdFormat};
pub use retry::{Backoff, Retry, RetryBudget, RetryCondition, RetryVocabulary};
pub use route::{
    GrpcMatch, HeaderMatch, HeaderValueMatch, PathMatch, QueryMatch, QueryValueMatch, Route, RouteMatch, Scheme,
};
pub use rules::{Level, RuleLevel, Rules};
pub use service::{Protocol, Service};
pub use test::{Expectation, Test, TestRequest};
pub use tls::{
    CertificateFiles, CertificateProvider, CertificateSource, ClientTls, FilePair, PeerValidation, ProviderSource,
    SdsSecret, ServerTls, TlsMode, TlsVersion, TrustSource,
};
pub use values::{Address, Callee, Cidr, Entry, HostPort, Method, NumberRange, Place};

use crate::block::Block;
use crate::names::Name;
use crate::source::Spanned;
use crate::value::{http, mesh as names, text};

/// Services, the nodes they run on and the gateways through which requests come in.
#[derive(Clone, Debug, PartialEq, Block)]
#[block(what = "the mesh")]
pub struct Mesh {
    /// What the mesh is called: the realm of its passwords, the trust domain of its certificates unless said otherwise.
    #[field(name, value = names::NAME)]
    pub name: Spanned<Name>,
    /// Names that stand for texts: `${name}` in a value is replaced.
    #[field(entries)]
    pub variables: Vec<Entry>,
    /// Files whose content stands here, relative to this file.
    #[field(key = "include", value = text::FILE)]
    pub includes: Vec<Spanned<String>>,
    /// The SPIFFE trust domain of the mesh's certificates.
    #[field(value = http::HOST_NAME, default = "the mesh's name")]
    pub trust_domain: Option<Spanned<String>>,
    /// How findings are weighed.
    pub rules: Rules,
    /// What holds for every service, node and gateway that does not say otherwise.
    pub defaults: Defaults,
    /// Where certificates come from, by name.
    #[field(named, key = "certificate-provider")]
    pub certificate_providers: Vec<CertificateProvider>,
    /// Whose tokens are believed, by name.
    #[field(named, key = "jwt-provider")]
    pub jwt_providers: Vec<JwtProvider>,
    /// Wasm filters of the user's own, by name.
    #[field(named, key = "wasm-filter")]
    pub wasm_filters: Vec<WasmFilter>,
    /// What is asked of ECS, and who may say what there.
    pub ecs: Option<Ecs>,
    /// Services, by the host name that callers use.
    #[field(named, key = "service")]
    pub services: Vec<Service>,
    /// Sidecars, each with the services behind it and the services it calls.
    #[field(named, key = "node")]
    pub nodes: Vec<Node>,
    /// Front proxies through which requests enter the mesh.
    #[field(named, key = "gateway")]
    pub gateways: Vec<Gateway>,
    /// Changes to the Envoy configuration itself, everywhere.
    #[field(key = "envoy-overlay")]
    pub overlays: Vec<Overlay>,
    /// Requests and what they must meet.
    #[field(named, key = "test")]
    pub tests: Vec<Test>,
}

/// What holds for every service, node and gateway that does not say otherwise.
#[derive(Clone, Debug, Default, PartialEq, Block)]
#[block(what = "a defaults block")]
pub struct Defaults {
    /// Time limit of a request, retries included.
    #[field(default = "15s")]
    pub timeout: Option<Spanned<Duration>>,
    /// Time limit of a connection on which nothing happens.
    #[field(default = "5m")]
    pub idle_timeout: Option<Spanned<Duration>>,
    /// How requests are logged.
    pub access_log: Option<AccessLog>,
    /// How requests are traced.
    pub tracing: Option<Tracing>,
    /// Where metrics go.
    pub stats: Option<Stats>,
    /// Further tries of failed requests.
    pub retry: Option<Retry>,
    /// Limits on what one caller has open towards a service.
    pub circuit_breaker: Option<CircuitBreaker>,
    /// Connections to a service.
    pub connection_pool: Option<ConnectionPool>,
    /// When endpoints that fail requests are left out for a while.
    pub outlier_detection: Option<OutlierDetection>,
    /// Active health checking.
    pub health_check: Option<HealthCheck>,
    /// How requests are shared out among endpoints.
    pub load_balancing: Option<LoadBalancing>,
    /// How services accept connections of callers.
    pub tls: Option<ServerTls>,
    /// How services are called.
    pub client_tls: Option<ClientTls>,
    /// Who may call what.
    pub authorization: Option<Authorization>,
    /// What sidecars may reach outside the mesh.
    pub egress: Option<Egress>,
}

impl Mesh {
    /// A mesh of which nothing but the name is said.
    pub fn named(name: Spanned<Name>) -> Self {
        Self {
            name,
            variables: Vec::new(),
            includes: Vec::new(),
            trust_domain: None,
            rules: Rules::default(),
            defaults: Defaults::default(),
            certificate_providers: Vec::new(),
            jwt_providers: Vec::new(),
            wasm_filters: Vec::new(),
            ecs: None,
            services: Vec::new(),
            nodes: Vec::new(),
            gateways: Vec::new(),
            overlays: Vec::new(),
            tests: Vec::new(),
        }
    }
}
