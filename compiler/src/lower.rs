//! What a mesh means for one Envoy. Cannot fail: a [`CheckedMesh`] has no mistakes.
//!
//! The resources are those that xDS serves: listeners name their routes, clusters their endpoints. A static bootstrap
//! is the same with everything put in its place ([`crate::emit::inline`]).

mod authentication;
pub(crate) mod authorization;
mod cluster;
mod edits;
mod egress;
mod endpoint;
mod fault;
mod gateway;
mod health;
mod inbound;
pub(crate) mod ip_access;
mod observability;
mod outbound;
pub(crate) mod overlay;
mod policies;
mod proxyless;
pub(crate) mod rate_limit;
mod route;
mod scope;
mod shared;
mod tcp;
mod tls;
mod transparent;
mod url;
mod wasm;

use std::collections::BTreeSet;
use std::sync::Arc;

use ::envoy::config::bootstrap::v3::Bootstrap;
use ::envoy::config::cluster::v3::Cluster;
use ::envoy::config::endpoint::v3::ClusterLoadAssignment;
use ::envoy::config::listener::v3::Listener;
use ::envoy::config::route::v3::RouteConfiguration;
use ::envoy::extensions::transport_sockets::tls::v3::Secret;

use crate::WasmModule;
use crate::checked::{CheckedMesh, Destination, Proxy, RoutingRule};
use crate::envoy::bootstrap::bootstrap;
pub use endpoint::{endpoints_depend_on_caller, endpoints_of};
use scope::Scope;
pub use shared::Shared;

/// Port on which a sidecar takes requests for the application beside it.
pub const INGRESS_PORT: u16 = 4100;
/// Port on which a sidecar takes the application's own requests.
pub const EGRESS_PORT: u16 = 4000;
/// Port on which `/stats/prometheus` is scraped, unless the mesh says another.
pub const PROMETHEUS_PORT: u16 = 15090;
/// Where intercepted connections that come in arrive, unless the mesh says another port.
pub const INTERCEPTED_INBOUND_PORT: u16 = 15000;
/// Where intercepted connections that go out arrive, unless the mesh says another port.
pub const INTERCEPTED_OUTBOUND_PORT: u16 = 15001;
/// Port of Envoy's administration, on loopback.
pub const ADMIN_PORT: u16 = 9901;

/// Everything one Envoy is told. Resources that several Envoys have are shared.
#[derive(Clone, Debug)]
pub struct NodeConfig {
    /// What it starts from, without the resources below.
    pub bootstrap: Bootstrap,
    pub listeners: Vec<Arc<Listener>>,
    /// Those without endpoints of their own get them from the `endpoints` of their name.
    pub clusters: Vec<Arc<Cluster>>,
    pub routes: Vec<Arc<RouteConfiguration>>,
    pub endpoints: Vec<Arc<ClusterLoadAssignment>>,
    pub secrets: Vec<Arc<Secret>>,
}

/// Resources on their way into a [`NodeConfig`]: each name once, in the order in which they came.
#[derive(Default)]
struct Parts {
    listeners: Vec<Arc<Listener>>,
    clusters: Vec<Arc<Cluster>>,
    routes: Vec<Arc<RouteConfiguration>>,
    endpoints: Vec<Arc<ClusterLoadAssignment>>,
    secrets: Vec<Arc<Secret>>,
    /// Part of the bootstrap: what Envoy asks before it has anything else.
    primary: Vec<Cluster>,
    names: BTreeSet<(Kind, String)>,
    /// Where requests of this proxy can go.
    reached: BTreeSet<Destination>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Cluster,
    Endpoints,
    Secret,
}

/// The configuration of one proxy of the mesh.
pub fn lower(mesh: &CheckedMesh, proxy: Proxy, module: &WasmModule) -> NodeConfig {
    lower_with(mesh, proxy, module, &Shared::default())
}

/// As [`lower`]; what several proxies have in common is made once for all that share `shared`.
pub fn lower_with(mesh: &CheckedMesh, proxy: Proxy, module: &WasmModule, shared: &Shared) -> NodeConfig {
    let scope = Scope::new(mesh, module, proxy, shared);
    if mesh.is_proxyless(proxy) {
        return proxyless::lower(&scope);
    }
    let mut config = without_overlays(&scope);
    overlay::apply(&scope, &mut config);
    config
}

fn without_overlays(scope: &Scope<'_>) -> NodeConfig {
    let mesh = scope.mesh;
    let mut parts = Parts::default();
    match scope.proxy {
        Proxy::Node(id) => {
            let node = mesh.node(id);
            inbound::lower(scope, node, &mut parts);
            outbound::lower(scope, node, &mut parts);
            transparent::lower(scope, node, &mut parts);
        }
        Proxy::Gateway(id) => gateway::lower(scope, mesh.gateway(id), &mut parts),
    }
    let telemetry = observability::lower(scope, &mut parts);
    // The order of the source means nothing here.
    parts.clusters.sort_by(|one, other| one.name.cmp(&other.name));
    parts.endpoints.sort_by(|one, other| one.cluster_name.cmp(&other.cluster_name));
    parts.secrets.sort_by(|one, other| one.name.cmp(&other.name));
    parts.primary.sort_by(|one, other| one.name.cmp(&other.name));
    let mut config = NodeConfig {
        bootstrap: bootstrap(&scope.identity(), scope.admin(), telemetry, parts.primary),
        listeners: parts.listeners,
        clusters: parts.clusters,
        routes: parts.routes,
        endpoints: parts.endpoints,
        secrets: parts.secrets,
    };
    cluster::zones::lower(scope, &config.clusters, &mut config.bootstrap);
    config
}

/// What compares the requests of a rule of header routing.
pub(crate) fn compares(rule: &RoutingRule) -> spec::mesh::Engine {
    route::header_routing::engine(rule)
}

impl Parts {
    fn listener(&mut self, listener: Listener) {
        self.listeners.push(Arc::new(listener));
    }

    fn routes(&mut self, routes: RouteConfiguration) {
        self.routes.push(Arc::new(routes));
    }

    fn cluster(&mut self, cluster: Arc<Cluster>) {
        if self.names.insert((Kind::Cluster, cluster.name.clone())) {
            self.clusters.push(cluster);
        }
    }

    fn has_cluster(&self, name: &str) -> bool {
        self.names.contains(&(Kind::Cluster, name.to_owned()))
    }

    fn endpoints(&mut self, endpoints: Arc<ClusterLoadAssignment>) {
        if self.names.insert((Kind::Endpoints, endpoints.cluster_name.clone())) {
            self.endpoints.push(endpoints);
        }
    }

    fn primary(&mut self, cluster: Cluster) {
        if self.names.insert((Kind::Cluster, cluster.name.clone())) {
            self.primary.push(cluster);
        }
    }

    fn secret(&mut self, secret: Arc<Secret>) {
        if self.names.insert((Kind::Secret, secret.name.clone())) {
            self.secrets.push(secret);
        }
    }
}
