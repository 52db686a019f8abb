//! The egress listener of a sidecar: from the application beside it to the services it calls.

use std::collections::BTreeSet;

use super::route::{Defaults, domains, service_host};
use super::{EGRESS_PORT, Parts, cluster, private, wasm};
use crate::WasmModule;
use crate::checked::{CheckedMesh, Id, Node, Service};
use crate::envoy::listener::{HttpListener, Side, http_listener};
use crate::envoy::{names, route};

/// A node that calls nothing has a listener all the same: its application gets 404, not a refused connection.
pub(super) fn lower(mesh: &CheckedMesh, node: &Node, module: &WasmModule) -> Parts {
    let hosts = node.calls.iter().map(|id| {
        let service = mesh.service(*id);
        let defaults = Defaults { timeout: service.timeout, retry: service.retry.as_ref() };
        service_host(mesh, *id, domains(service), &defaults)
    });
    let listener = HttpListener {
        name: names::EGRESS_LISTENER.to_owned(),
        host: private(node.bind),
        port: EGRESS_PORT,
        side: Side::Outbound,
        routes: route::configuration(names::EGRESS_ROUTES, hosts.collect()),
        filters: wasm::header_routing(mesh, &node.calls).into_iter().collect(),
        access_log: mesh.access_log,
    };
    Parts { listeners: vec![http_listener(listener, module)], clusters: clusters(mesh, node.calls.iter().copied()) }
}

/// The clusters of the services and of everything their routes lead to, in the order of the mesh.
pub(super) fn clusters(
    mesh: &CheckedMesh,
    services: impl Iterator<Item = Id<Service>>,
) -> Vec<::envoy::config::cluster::v3::Cluster> {
    let mut reached = BTreeSet::new();
    for id in services {
        let service = mesh.service(id);
        reached.insert(id);
        reached.extend(service.routes.iter().flat_map(|route| &route.targets).map(|target| target.service));
        reached.extend(service.header_routing.iter().map(|rule| rule.to));
    }
    reached.into_iter().map(|id| cluster::remote(mesh.service(id))).collect()
}
