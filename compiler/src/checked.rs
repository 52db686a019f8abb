//! A mesh whose names are resolved and whose values are defaulted: the only input of lowering.
//!
//! Only [`crate::check`] makes one, so nothing after it has doubts: every [`Id`] points into its table,
//! every number is in range, every file that was named has been read. Blocks that name nothing are those of the
//! language itself; what they leave out gets its default where it is lowered.

mod extension;
mod proxy;
mod route;
mod security;
mod service;

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

pub use extension::{Fault, FaultCallers, FilterUse, Module, Overlay, WasmFilter};
pub use proxy::{Call, Gateway, GatewayHost, Listener, Node, Serve, Situation, Upstream};
pub use route::{Action, Destination, Mirror, Route, RoutingRule, Stickiness, Target};
pub use security::{
    AccessRule, ApiKey, Authorization, BasicAuth, Certificate, CertificateProvider, ClientTls, ExternalAuth,
    HmacSignature, Jwt, JwtKeys, JwtProvider, PeerValidation, ServerTls, Trust,
};
pub use service::{CircuitBreaker, Discovery, Endpoint, HealthCheck, Service, Subset};
use spec::Name;

/// An index into one table of a [`CheckedMesh`]: proof that a name resolved.
pub struct Id<T>(u32, PhantomData<fn() -> T>);

/// A mesh without mistakes.
#[derive(Clone, Debug)]
pub struct CheckedMesh {
    pub(crate) name: Name,
    /// The SPIFFE trust domain of its certificates.
    pub(crate) trust_domain: String,
    pub(crate) certificate_providers: Vec<CertificateProvider>,
    pub(crate) jwt_providers: Vec<JwtProvider>,
    pub(crate) wasm_filters: Vec<WasmFilter>,
    pub(crate) services: Vec<Service>,
    pub(crate) nodes: Vec<Node>,
    pub(crate) gateways: Vec<Gateway>,
}

/// One Envoy to configure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Proxy {
    Node(Id<Node>),
    Gateway(Id<Gateway>),
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

    pub fn certificate_provider(&self, id: Id<CertificateProvider>) -> &CertificateProvider {
        &self.certificate_providers[id.index()]
    }

    pub fn jwt_provider(&self, id: Id<JwtProvider>) -> &JwtProvider {
        &self.jwt_providers[id.index()]
    }

    pub fn wasm_filter(&self, id: Id<WasmFilter>) -> &WasmFilter {
        &self.wasm_filters[id.index()]
    }

    /// The modules of wasm filters that are files: digest and bytes.
    pub(crate) fn wasm_files(&self) -> impl Iterator<Item = (&str, &Arc<[u8]>)> {
        self.wasm_filters.iter().filter_map(|filter| match &filter.module {
            Module::File { bytes, sha256, .. } => Some((sha256.as_str(), bytes)),
            Module::Url { .. } => None,
        })
    }

    /// The SPIFFE trust domain of its certificates.
    pub fn trust_domain(&self) -> &str {
        &self.trust_domain
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
        let nodes = self.nodes().filter(|(_, node)| !node.proxyless).map(|(id, _)| Proxy::Node(id));
        nodes.chain(self.gateways().map(|(id, _)| Proxy::Gateway(id)))
    }

    /// The nodes whose applications are their own proxies.
    pub fn proxyless(&self) -> impl Iterator<Item = Proxy> {
        self.nodes().filter(|(_, node)| node.proxyless).map(|(id, _)| Proxy::Node(id))
    }

    /// Everyone whom a control plane tells something.
    pub fn subscribers(&self) -> impl Iterator<Item = Proxy> {
        self.proxies().chain(self.proxyless())
    }

    pub fn is_proxyless(&self, proxy: Proxy) -> bool {
        match proxy {
            Proxy::Node(id) => self.node(id).proxyless,
            Proxy::Gateway(_) => false,
        }
    }

    /// Where a proxy is, and what holds for it alone.
    pub fn situation(&self, proxy: Proxy) -> &Situation {
        match proxy {
            Proxy::Node(id) => &self.node(id).at,
            Proxy::Gateway(id) => &self.gateway(id).at,
        }
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
