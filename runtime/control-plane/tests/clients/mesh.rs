//! A mesh with one caller and one service, as the resources that gRPC asks for.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use compiler::snapshot::ResourceKind;
use envoy::config::cluster::v3::Cluster;
use envoy::config::endpoint::v3::ClusterLoadAssignment;
use envoy::config::listener::v3::Listener;
use envoy::config::route::v3::RouteConfiguration;
use envoy::merge_json;
use meshwright_control_plane::{Published, Served, View};
use prost::{Message, Name};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::control_plane::State;

/// The proxy's name in the mesh.
pub(crate) const CALLER: &str = "checkout";
/// What the caller calls.
pub(crate) const SERVICE: &str = "orders.mesh";

/// What the caller is told. By default there is no service.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mesh {
    resources: BTreeMap<(ResourceKind, String), Arc<Served>>,
}

impl Mesh {
    pub(crate) fn routing_to(cluster: &str) -> Self {
        Self::routing(&json!({"cluster": cluster}))
    }

    /// A route that Envoy and gRPC refuse: it leads nowhere.
    pub(crate) fn routing_nowhere(cluster: &str) -> Self {
        Self::routing(&json!({"weighted_clusters": {"clusters": [{"name": cluster, "weight": 0}]}}))
    }

    fn routing(action: &Value) -> Self {
        let manager = json!({
            "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
            "rds": {"route_config_name": SERVICE, "config_source": {"ads": {}}},
            "http_filters": [{
                "name": "router",
                "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"},
            }],
        });
        let listener = json!({"name": SERVICE, "api_listener": {"api_listener": manager}});
        let routes = json!({
            "name": SERVICE,
            "virtual_hosts": [{
                "name": SERVICE,
                "domains": [SERVICE],
                "routes": [{"match": {"prefix": ""}, "route": action}],
            }],
        });
        Self::default().with::<Listener>(ResourceKind::Listener, SERVICE, &listener).with::<RouteConfiguration>(
            ResourceKind::Routes,
            SERVICE,
            &routes,
        )
    }

    pub(crate) fn cluster(self, name: &str, endpoint: SocketAddr) -> Self {
        self.balanced_cluster(name, "ROUND_ROBIN", endpoint)
    }

    /// A cluster that balances as Envoy can, and gRPC cannot.
    pub(crate) fn unusable_cluster(self, name: &str, endpoint: SocketAddr) -> Self {
        self.balanced_cluster(name, "MAGLEV", endpoint)
    }

    fn balanced_cluster(self, name: &str, lb_policy: &str, endpoint: SocketAddr) -> Self {
        let address = json!({"socket_address": {"address": endpoint.ip().to_string(), "port_value": endpoint.port()}});
        let endpoints = json!({
            "cluster_name": name,
            "endpoints": [{
                "locality": {"zone": "a"},
                "load_balancing_weight": 1,
                "lb_endpoints": [{"endpoint": {"address": address}}],
            }],
        });
        let cluster = json!({
            "name": name,
            "type": "EDS",
            "lb_policy": lb_policy,
            "eds_cluster_config": {"eds_config": {"ads": {}}},
        });
        self.with::<Cluster>(ResourceKind::Cluster, name, &cluster).with::<ClusterLoadAssignment>(
            ResourceKind::Endpoints,
            name,
            &endpoints,
        )
    }

    fn with<M: Message + Name + Default>(mut self, kind: ResourceKind, name: &str, json: &Value) -> Self {
        let bytes = merge_json(&M::default(), json).expect("it is Envoy's JSON").encode_to_vec();
        let version = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let served = Served::new(kind, name, &version, Bytes::from(bytes));
        self.resources.insert((kind, name.to_owned()), Arc::new(served));
        self
    }
}

impl State for Mesh {
    fn published(&self) -> Arc<Published> {
        let resources = self.resources.iter().map(|((kind, _), served)| (*kind, Arc::clone(served)));
        Arc::new(Published::with_views(BTreeMap::from([(CALLER.to_owned(), Arc::new(View::new(resources)))])))
    }
}
