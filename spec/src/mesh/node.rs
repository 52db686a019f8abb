//! A node: one sidecar, the services behind it and the services it calls.

use std::net::IpAddr;
use std::time::Duration;

use super::{
    AccessLog, Callee, Cidr, CircuitBreaker, ClientTls, Egress, Endpoint, Entry, Fault, FilterUse, OutlierDetection,
    Overlay, Place, Retry, Stats, Tracing,
};
use crate::block::Block;
use crate::names::Name;
use crate::source::{Span, Spanned};
use crate::value::{mesh, network, text};

/// One kind of task (or one task): all its sidecars get the same configuration.
#[derive(Clone, Debug, PartialEq, Block)]
#[block(what = "a node")]
pub struct Node {
    /// What it is called: Envoy's node id.
    #[field(name, value = mesh::NODE)]
    pub name: Spanned<Name>,
    /// Where its listeners bind.
    #[field(default = "all interfaces for requests that come in, loopback for those that go out")]
    pub bind: Option<Spanned<IpAddr>>,
    /// The region it runs in, such as `eu-central-1`.
    #[field(value = text::LABEL)]
    pub region: Option<Spanned<String>>,
    /// The availability zone it runs in, such as `eu-central-1a`.
    #[field(value = text::LABEL)]
    pub zone: Option<Spanned<String>>,
    /// The application is its own proxy: it has no sidecar, and asks the control plane itself, as gRPC does.
    #[field(default = "false")]
    pub proxyless: Option<Spanned<bool>>,
    /// What runs beside the sidecar. None: a node that only calls.
    #[field(named)]
    pub serves: Vec<Serve>,
    /// The services it can reach; `*` for every service of the mesh.
    #[field(named)]
    pub calls: Vec<Call>,
    /// Connections of the application are taken without its knowledge, as ECS sets it up.
    pub transparent_proxy: Option<TransparentProxy>,
    /// What it may reach outside the mesh.
    pub egress: Option<Egress>,
    /// How its requests are logged.
    pub access_log: Option<AccessLog>,
    /// How its requests are traced.
    pub tracing: Option<Tracing>,
    /// Where its metrics go.
    pub stats: Option<Stats>,
    /// Wasm filters of the user's own, for every service of this node.
    #[field(key = "filter")]
    pub filters: Vec<FilterUse>,
    /// Changes to the Envoy configuration itself.
    #[field(key = "envoy-overlay")]
    pub overlays: Vec<Overlay>,
}

/// A service behind a node's sidecar.
#[derive(Clone, Debug, PartialEq, Block)]
#[block(what = "a served service")]
pub struct Serve {
    /// Which one.
    #[field(name, value = mesh::NAME)]
    pub service: Spanned<Name>,
    /// Where the sidecar finds the application; by default the endpoint's port on 127.0.0.1.
    #[field(key = "upstream")]
    pub upstreams: Vec<Endpoint>,
    /// Replaces the service's fault on this node only.
    pub fault: Option<Fault>,
    /// Annotations of the service on this node.
    #[field(entries)]
    pub annotations: Vec<Entry>,
}

// Blocks are boxed: a mesh has tens of thousands of calls, and nearly all say nothing but the service.
/// A service that a node or gateway calls, and how.
#[derive(Clone, Debug, PartialEq, Block)]
#[block(what = "a called service")]
pub struct Call {
    /// Which one; `*` for every service of the mesh.
    #[field(name)]
    pub service: Spanned<Callee>,
    /// A port on loopback of its own: the application needs neither proxy settings nor a `Host` header.
    #[field(value = network::PORT)]
    pub local_port: Option<Spanned<u16>>,
    /// Where that port binds.
    #[field(default = "127.0.0.1")]
    pub local_address: Option<Spanned<IpAddr>>,
    /// Replaces the service's time limit for this caller.
    pub timeout: Option<Spanned<Duration>>,
    /// Replaces the service's retries for this caller.
    pub retry: Option<Box<Retry>>,
    /// Replaces the service's limits for this caller.
    pub circuit_breaker: Option<Box<CircuitBreaker>>,
    /// Replaces the service's outlier detection for this caller.
    pub outlier_detection: Option<Box<OutlierDetection>>,
    /// Replaces how the service is called, for this caller.
    pub client_tls: Option<Box<ClientTls>>,
}

/// Interception of connections, as `proxyConfiguration` of an ECS task definition sets it up.
#[derive(Clone, Debug, Default, PartialEq, Block)]
#[block(what = "a transparent proxy")]
pub struct TransparentProxy {
    /// Where connections that come in arrive at the sidecar.
    #[field(value = network::PORT, default = "15000")]
    pub inbound_port: Option<Spanned<u16>>,
    /// Where connections that go out arrive at the sidecar.
    #[field(value = network::PORT, default = "15001")]
    pub outbound_port: Option<Spanned<u16>>,
    /// Networks whose connections are left alone.
    #[field(default = "169.254.170.2, 169.254.169.254")]
    pub ignored_networks: Vec<Spanned<Cidr>>,
    /// Ports whose connections are left alone.
    #[field(value = network::PORT)]
    pub ignored_ports: Vec<Spanned<u16>>,
    /// User id whose connections are left alone: the sidecar's own.
    #[field(default = "1337")]
    pub ignored_uid: Option<Spanned<u32>>,
    #[field(place)]
    pub place: Place,
}

impl Node {
    /// Whether there is no sidecar.
    pub fn is_proxyless(&self) -> bool {
        self.proxyless.as_ref().is_some_and(|said| said.value)
    }

    /// A node that serves nothing and calls nothing.
    pub fn named(name: Spanned<Name>) -> Self {
        Self {
            name,
            bind: None,
            region: None,
            zone: None,
            proxyless: None,
            serves: Vec::new(),
            calls: Vec::new(),
            transparent_proxy: None,
            egress: None,
            access_log: None,
            tracing: None,
            stats: None,
            filters: Vec::new(),
            overlays: Vec::new(),
        }
    }
}

impl Call {
    /// The services that are called by name, in the order of the text.
    pub fn listed(calls: &[Self]) -> impl Iterator<Item = Spanned<&Name>> {
        calls.iter().filter_map(|call| match &call.service.value {
            Callee::All => None,
            Callee::Service(name) => Some(Spanned::new(name, call.service.span)),
        })
    }

    /// Where `*` stands, if it does: then every service is called.
    pub fn all(calls: &[Self]) -> Option<Span> {
        calls.iter().find(|call| call.service.value == Callee::All).map(|call| call.service.span)
    }

    /// A call of which nothing but the service is said.
    pub fn of(service: Spanned<Callee>) -> Self {
        Self {
            service,
            local_port: None,
            local_address: None,
            timeout: None,
            retry: None,
            circuit_breaker: None,
            outlier_detection: None,
            client_tls: None,
        }
    }
}
