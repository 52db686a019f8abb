//! A gateway: a front proxy through which requests enter the mesh.

use std::net::IpAddr;
use std::time::Duration;

use super::{
    AccessLog, ApiKey, Authorization, BasicAuth, Call, CertificateSource, Cors, Egress, ExternalAuth, FilterUse,
    HeaderEdits, Headers, HmacSignature, IpAccess, Jwt, Maintenance, Overlay, Protocol, RateLimit, RequestId, Retry,
    Route, ServerTls, Stats, Target, Tracing,
};
use crate::block::Block;
use crate::names::Name;
use crate::source::Spanned;
use crate::value::{http, mesh, network, number};

/// A gateway and everything said of it.
#[derive(Clone, Debug, PartialEq, Block)]
#[block(what = "a gateway", check = crate::decode::gateway_listens)]
pub struct Gateway {
    /// What it is called: Envoy's node id.
    #[field(name, value = mesh::NAME)]
    pub name: Spanned<Name>,
    /// The ports it listens on.
    pub listen: Vec<Listener>,
    /// Where its listeners bind.
    #[field(default = "all interfaces")]
    pub bind: Option<Spanned<IpAddr>>,
    /// How many proxies of ours stand before it, such as a load balancer: so many entries of `x-forwarded-for` are
    /// believed, and `x-forwarded-proto` is kept. With 0 both are set anew.
    #[field(value = number::TRUSTED_HOPS, default = "0")]
    pub trusted_hops: Option<Spanned<u32>>,
    /// Time limit of a request, retries included.
    pub timeout: Option<Spanned<Duration>>,
    /// Time limit of a stream on which nothing happens; 0s for none.
    #[field(default = "5m")]
    pub idle_timeout: Option<Spanned<Duration>>,
    /// Services that outside callers reach by the service's own name as `Host`.
    #[field(named)]
    pub calls: Vec<Call>,
    /// Host names of the outside world.
    #[field(named, key = "host")]
    pub hosts: Vec<GatewayHost>,
    /// Further tries of failed requests.
    pub retry: Option<Retry>,
    /// User names and passwords; holds for every request of this gateway, whatever its host or path.
    pub basic_auth: Option<BasicAuth>,
    /// Signed tokens.
    pub jwt: Option<Jwt>,
    /// Keys of callers.
    pub api_key: Option<ApiKey>,
    /// Requests that their callers have signed.
    pub hmac_signature: Option<HmacSignature>,
    /// Another server is asked about each request.
    pub external_auth: Option<ExternalAuth>,
    /// Who may call what.
    pub authorization: Option<Authorization>,
    /// Which addresses may send requests.
    pub ip_access: Option<Box<IpAccess>>,
    /// How many requests it accepts.
    #[field(key = "rate-limit")]
    pub rate_limits: Vec<RateLimit>,
    /// Which web pages of other origins may send requests.
    pub cors: Option<Cors>,
    /// Changes to the headers of requests.
    pub request_headers: Option<Box<HeaderEdits>>,
    /// Changes to the headers of responses.
    pub response_headers: Option<Box<HeaderEdits>>,
    /// Changes of headers, with values made of the request.
    pub headers: Option<Box<Headers>>,
    /// An id for each request.
    pub request_id: Option<Box<RequestId>>,
    /// Answers in place of everything behind the gateway.
    pub maintenance: Option<Box<Maintenance>>,
    /// What it may reach outside the mesh.
    pub egress: Option<Egress>,
    /// How its requests are logged.
    pub access_log: Option<AccessLog>,
    /// How its requests are traced.
    pub tracing: Option<Tracing>,
    /// Where its metrics go.
    pub stats: Option<Stats>,
    /// Wasm filters of the user's own.
    #[field(key = "filter")]
    pub filters: Vec<FilterUse>,
    /// Changes to the Envoy configuration itself.
    #[field(key = "envoy-overlay")]
    pub overlays: Vec<Overlay>,
}

/// A port of a gateway.
#[derive(Clone, Debug, PartialEq, Block)]
#[block(what = "a listener", line)]
pub struct Listener {
    /// The port.
    #[field(main, value = network::PORT)]
    pub port: Spanned<u16>,
    /// What is spoken there; `tcp` passes bytes to the targets.
    #[field(default = "http")]
    pub protocol: Option<Spanned<Protocol>>,
    /// How connections are accepted.
    pub tls: Option<ServerTls>,
    /// Where the bytes of a `tcp` listener go.
    #[field(key = "to")]
    pub targets: Vec<Target>,
}

/// A host name and where its requests go.
#[derive(Clone, Debug, PartialEq, Block)]
#[block(what = "a host", check = crate::decode::host_goes_somewhere)]
pub struct GatewayHost {
    /// Exact (`shop.example`), with a leading `*.` or a trailing `.*`, or `*`; a port after `:` restricts it to that
    /// listener.
    #[field(name, key = "name", value = http::HOST)]
    pub pattern: Spanned<String>,
    /// What callers see who ask for this host by its name (SNI), on every listener with TLS.
    #[field(default = "the listener's")]
    pub certificate: Option<CertificateSource>,
    /// First match wins; a request that no route takes goes to `to`, else gets 404.
    #[field(key = "route")]
    pub routes: Vec<Route>,
    /// Where requests go that no route takes.
    #[field(key = "to")]
    pub targets: Vec<Target>,
    /// Which web pages of other origins may send requests.
    pub cors: Option<Cors>,
    /// How many requests of this host are accepted.
    #[field(key = "rate-limit")]
    pub rate_limits: Vec<RateLimit>,
    /// Changes to the headers of requests.
    pub request_headers: Option<Box<HeaderEdits>>,
    /// Changes to the headers of responses.
    pub response_headers: Option<Box<HeaderEdits>>,
}

impl Gateway {
    /// A gateway that leads nowhere.
    pub fn named(name: Spanned<Name>, port: Spanned<u16>) -> Self {
        Self {
            name,
            listen: vec![Listener { port, protocol: None, tls: None, targets: Vec::new() }],
            bind: None,
            trusted_hops: None,
            timeout: None,
            idle_timeout: None,
            calls: Vec::new(),
            hosts: Vec::new(),
            retry: None,
            basic_auth: None,
            jwt: None,
            api_key: None,
            hmac_signature: None,
            external_auth: None,
            authorization: None,
            ip_access: None,
            rate_limits: Vec::new(),
            cors: None,
            request_headers: None,
            response_headers: None,
            headers: None,
            request_id: None,
            maintenance: None,
            egress: None,
            access_log: None,
            tracing: None,
            stats: None,
            filters: Vec::new(),
            overlays: Vec::new(),
        }
    }
}
