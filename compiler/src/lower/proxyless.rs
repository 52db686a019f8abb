//! An application that is its own proxy, as gRPC can be: the services it calls, in what gRPC understands of xDS.
//!
//! What gRPC cannot do, [`crate::check`] has refused or told of.

use std::sync::Arc;

use ::envoy::config::bootstrap::v3::Bootstrap;

use super::scope::Scope;
use super::{NodeConfig, Parts, cluster, endpoint, route};
use crate::checked::Destination;
use crate::envoy::{grpc, names};

pub(super) fn lower(scope: &Scope<'_>) -> NodeConfig {
    let mesh = scope.mesh;
    let mut parts = Parts::default();
    let (mut listeners, mut routes) = (Vec::new(), Vec::new());
    for call in scope.calls() {
        let service = mesh.service(call.service);
        cluster::reached(scope, call.service, &mut parts);
        let name = names::grpc_routes(service);
        let table = route::service_host(scope, call.service, None).routes;
        routes.push(Arc::new(grpc::routes(&name, table)));
        // gRPC asks for what stands behind `xds:///`, with the port if there is one.
        for domain in route::domains(service) {
            listeners.push(Arc::new(grpc::listener(&domain, &name)));
        }
    }
    listeners.sort_by(|one, other| one.name.cmp(&other.name));
    parts.clusters.sort_by(|one, other| one.name.cmp(&other.name));
    let told = |to: &Destination| endpoint::grpc_assignment(mesh, scope.shared, scope.at(), *to);
    let mut endpoints: Vec<_> = parts.reached.iter().map(told).collect();
    endpoints.sort_by(|one, other| one.cluster_name.cmp(&other.cluster_name));
    NodeConfig {
        bootstrap: Bootstrap::default(),
        listeners,
        clusters: parts.clusters.iter().map(|cluster| Arc::new(grpc::cluster(cluster))).collect(),
        routes,
        endpoints,
        secrets: Vec::new(),
    }
}
