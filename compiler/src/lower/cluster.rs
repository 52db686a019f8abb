//! A service as a cluster: from its callers, and from the sidecar beside it.

use std::net::SocketAddr;

use ::envoy::config::endpoint::v3::ClusterLoadAssignment;

use ::envoy::config::cluster::v3::Cluster;

use super::scope::Scope;
use super::{Parts, endpoint, tls};
use crate::checked::{CheckedMesh, CircuitBreaker, Destination, HealthCheck, Id, Route, Serve, Service};
use crate::envoy::cluster::{self, Discovered, HttpHealthCheck, Limits, StaticCluster};
use crate::envoy::endpoint::{WeightedAddress, load_assignment};
use crate::envoy::names;

/// The clusters of a service and of everything its routes lead to.
pub(super) fn reached(scope: &Scope<'_>, id: Id<Service>, parts: &mut Parts) {
    let service = scope.mesh.service(id);
    remote(scope, Destination { service: id, subset: None }, parts);
    for route in &service.routes {
        of_route(scope, route, parts);
    }
    for rule in &service.header_routing {
        remote(scope, Destination { service: rule.to, subset: None }, parts);
    }
}

/// The clusters of everything a route leads to, and, below a gateway's own host, of what its one target's routes do.
pub(super) fn of_route(scope: &Scope<'_>, route: &Route, parts: &mut Parts) {
    for destination in route.destinations() {
        remote(scope, destination, parts);
    }
    if let ([target], true) = (route.targets(), scope.gateway().is_some()) {
        let service = scope.mesh.service(target.to.service);
        for destination in service.routes.iter().flat_map(Route::destinations) {
            remote(scope, destination, parts);
        }
        for rule in &service.header_routing {
            remote(scope, Destination { service: rule.to, subset: None }, parts);
        }
    }
}

/// Towards the sidecars of a service, as this proxy calls it.
pub(super) fn remote(scope: &Scope<'_>, destination: Destination, parts: &mut Parts) {
    let name = names::destination(scope.mesh, destination);
    if parts.has_cluster(&name) {
        return;
    }
    let service = scope.mesh.service(destination.service);
    let socket = tls::client(scope, destination.service, parts);
    let encrypted = socket.is_some();
    let make = || {
        let plain = cluster::discovered(Discovered {
            name: name.clone(),
            circuit_breaker: limits(&service.circuit_breaker),
            health_check: service.health_check.as_ref().map(health_check),
        });
        Cluster { transport_socket: socket, ..plain }
    };
    // What a caller shows is its own.
    parts.cluster(if encrypted { std::sync::Arc::new(make()) } else { scope.shared.cluster(&name, make) });
    parts.endpoints(scope.shared.endpoints(&name, || load_assignment(&name, &endpoint::remote(service))));
    for mirror in &service.mirrors {
        remote(scope, mirror.to, parts);
    }
}

/// What the callers of a service get as its endpoints.
pub(super) fn endpoints_of(mesh: &CheckedMesh, id: Id<Service>) -> Vec<ClusterLoadAssignment> {
    let service = mesh.service(id);
    vec![load_assignment(&names::cluster(service), &endpoint::remote(service))]
}

/// Towards the application beside the sidecar.
pub(super) fn local(scope: &Scope<'_>, serve: &Serve, parts: &mut Parts) {
    let service = scope.mesh.service(serve.service);
    let check = service.health_check.as_ref();
    parts.cluster(std::sync::Arc::new(cluster::static_cluster(StaticCluster {
        name: names::local_cluster(service),
        endpoints: endpoint::local(&serve.upstreams, check.and_then(|check| check.port)),
        circuit_breaker: limits(&service.circuit_breaker),
        health_check: check.map(health_check),
    })));
}

/// Towards this Envoy's own administration, for the port that Prometheus scrapes.
pub(super) fn administration(scope: &Scope<'_>, parts: &mut Parts) {
    let (host, port) = scope.admin();
    parts.cluster(std::sync::Arc::new(cluster::static_cluster(StaticCluster {
        name: names::PROMETHEUS_CLUSTER.to_owned(),
        endpoints: vec![WeightedAddress { address: SocketAddr::new(host, port), weight: 1, health_check_port: None }],
        circuit_breaker: None,
        health_check: None,
    })));
}

fn limits(breaker: &CircuitBreaker) -> Option<Limits> {
    let said = [breaker.max_connections, breaker.max_pending, breaker.max_requests, breaker.max_retries];
    said.iter().any(Option::is_some).then_some(Limits {
        max_connections: breaker.max_connections,
        max_pending_requests: breaker.max_pending,
        max_requests: breaker.max_requests,
        max_retries: breaker.max_retries,
    })
}

fn health_check(check: &HealthCheck) -> HttpHealthCheck {
    HttpHealthCheck {
        host: check.host.clone(),
        path: check.path.clone(),
        interval: check.interval,
        timeout: check.timeout,
        expect: check.expect,
        healthy_threshold: check.healthy_threshold,
        unhealthy_threshold: check.unhealthy_threshold,
    }
}
