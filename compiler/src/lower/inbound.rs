//! The ingress listener of a sidecar: from other sidecars to the application beside it.

use std::net::IpAddr;

use spec::mesh::PathMatch;

use super::route::domains;
use super::{INGRESS_PORT, Parts, cluster, wasm};
use crate::WasmModule;
use crate::checked::{CheckedMesh, Node, Serve};
use crate::envoy::http_filter::{CachedHealthCheck, HttpFilter};
use crate::envoy::listener::{HttpListener, Side, http_listener};
use crate::envoy::names;
use crate::envoy::route::{self, ClusterShare, Host, ToClusters};

/// Nothing for a node that serves nothing.
pub(super) fn lower(mesh: &CheckedMesh, node: &Node, public: IpAddr, module: &WasmModule) -> Parts {
    if node.serves.is_empty() {
        return Parts::default();
    }
    let hosts = node.serves.iter().map(|serve| host(mesh, serve)).collect();
    let listener = HttpListener {
        name: names::INGRESS_LISTENER.to_owned(),
        host: public,
        port: INGRESS_PORT,
        side: Side::Inbound,
        routes: route::configuration(names::INGRESS_ROUTES, hosts),
        filters: filters(mesh, node),
        access_log: mesh.access_log,
    };
    Parts {
        listeners: vec![http_listener(listener, module)],
        clusters: node.serves.iter().map(|serve| cluster::local(mesh.service(serve.service), serve)).collect(),
    }
}

/// The caller's time limit holds: it takes its request back when it no longer waits.
fn host(mesh: &CheckedMesh, serve: &Serve) -> Host {
    let service = mesh.service(serve.service);
    let share = ClusterShare { cluster: names::local_cluster(service), weight: 1, rewrite_host: None };
    let action = ToClusters { clusters: vec![share], timeout: None, retry: None };
    Host {
        name: service.name.key(),
        domains: domains(service),
        routes: vec![route::route(&PathMatch::Prefix("/".to_owned()), Vec::new(), action)],
    }
}

/// Health checks are answered first, and neither authentication nor faults ever touch them.
fn filters(mesh: &CheckedMesh, node: &Node) -> Vec<HttpFilter> {
    let (mut filters, mut credentials, mut faults) = (Vec::new(), Vec::new(), Vec::new());
    for serve in &node.serves {
        let service = mesh.service(serve.service);
        let health_path: Vec<String> = service.health_check.iter().map(|check| check.path.clone()).collect();
        filters.extend(service.health_check.as_ref().map(|check| {
            HttpFilter::HealthCheck(CachedHealthCheck {
                hosts: domains(service),
                path: check.path.clone(),
                cache: check.cache,
            })
        }));
        credentials.extend(
            service.basic_auth.as_ref().map(|auth| wasm::basic_auth_rule(auth, domains(service), health_path.clone())),
        );
        faults.extend(serve.fault.as_ref().map(|fault| wasm::fault_rule(fault, domains(service), health_path)));
    }
    filters.extend(wasm::basic_auth(credentials));
    filters.extend(wasm::fault(faults));
    filters
}
