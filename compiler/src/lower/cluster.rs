//! A service as a cluster: from its callers, and from the sidecar beside it.

pub(super) mod failover;
pub(super) mod session;
pub(super) mod zones;

use std::net::SocketAddr;
use std::sync::Arc;

use ::envoy::config::cluster::v3::Cluster;
use ::envoy::config::core::v3::TransportSocket;
use prost::Message as _;
use spec::mesh::{OutlierDetection, Retry};

use super::scope::Scope;
use super::shared::Key;
use super::{Parts, endpoint, tls};
use crate::checked::{CircuitBreaker, Destination, Discovery, Id, Route, Serve, Service};
use crate::envoy::cluster::{self, Budget, Found, Limits, StaticCluster, Towards};
use crate::envoy::endpoint::{WeightedAddress, load_assignment};
use crate::envoy::names;

/// Retries that a budget always allows, unless it says so.
const MIN_CONCURRENCY: u32 = 3;

/// The clusters of a service and of everything its routes lead to.
pub(super) fn reached(scope: &Scope<'_>, id: Id<Service>, parts: &mut Parts) {
    let service = scope.mesh.service(id);
    remote(scope, Destination { service: id, subset: None }, parts);
    for route in &service.routes {
        of_route(scope, route, parts);
    }
    of_rules(scope, service, parts);
}

/// The clusters to which a service's header routing leads.
fn of_rules(scope: &Scope<'_>, service: &Service, parts: &mut Parts) {
    for target in service.header_routing.iter().flat_map(|rule| &rule.to) {
        remote(scope, target.to, parts);
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
        of_rules(scope, service, parts);
    }
}

/// Towards the sidecars of a service, or of those that stand in for it, as this proxy calls it.
pub(super) fn remote(scope: &Scope<'_>, destination: Destination, parts: &mut Parts) {
    // Its cluster may be there already, as one that stands in for another: its mirrors are not.
    if !parts.reached.insert(destination) {
        return;
    }
    if scope.mesh.service(destination.service).failover.is_empty() {
        own(scope, destination, parts);
    } else {
        failover::lower(scope, destination, parts);
    }
    for mirror in &scope.mesh.service(destination.service).mirrors {
        remote(scope, mirror.to, parts);
    }
}

/// Towards the application beside the sidecar. Its bounds are `inbound`'s: a circuit breaker is each caller's.
pub(super) fn local(scope: &Scope<'_>, serve: &Serve, parts: &mut Parts) {
    let service = scope.mesh.service(serve.service);
    let check = service.health_check.as_ref();
    let name = names::local_cluster(service);
    let upstreams = endpoint::local(&serve.upstreams, check.and_then(|check| check.port));
    let inbound = service.inbound.as_ref();
    let number = |said: &Option<spec::Spanned<u32>>| said.as_ref().map(|said| said.value);
    parts.cluster(Arc::new(cluster::towards(Towards {
        found: Found::Said(load_assignment(&name, &upstreams)),
        name,
        stat_name: None,
        protocol: service.protocol,
        limits: Limits {
            max_connections: inbound.and_then(|inbound| number(&inbound.max_connections)),
            max_pending_requests: inbound.and_then(|inbound| number(&inbound.max_pending)),
            max_requests: inbound.and_then(|inbound| number(&inbound.max_requests)),
            ..Limits::default()
        },
        pool: None,
        outliers: None,
        health_check: check,
        checks_bypass_sidecars: false,
        balancing: None,
        transport_socket: None,
    })));
}

/// Towards this Envoy's own administration, for the port that Prometheus scrapes.
pub(super) fn administration(scope: &Scope<'_>, parts: &mut Parts) {
    let (host, port) = scope.admin();
    parts.cluster(Arc::new(cluster::static_cluster(StaticCluster {
        name: names::PROMETHEUS_CLUSTER.to_owned(),
        endpoints: vec![WeightedAddress { address: SocketAddr::new(host, port), weight: 1, health_check_port: None }],
        circuit_breaker: None,
        health_check: None,
    })));
}

/// The endpoints of a service or subset, and nothing that stands in for them.
fn own(scope: &Scope<'_>, destination: Destination, parts: &mut Parts) {
    let name = names::own_endpoints(scope.mesh, destination);
    if parts.has_cluster(&name) {
        return;
    }
    let service = scope.mesh.service(destination.service);
    let socket = tls::client(scope, destination.service, parts);
    let terms = Terms::of(scope, destination.service);
    let make = |socket| as_called(scope, destination, &name, &terms, socket);
    let cluster = if terms == Terms::common(service) {
        let socket_bytes = socket.as_ref().map(TransportSocket::encode_to_vec).unwrap_or_default();
        let key = Key { name: name.clone(), place: None, transport_socket: socket_bytes };
        scope.shared.cluster(key, || make(socket))
    } else {
        Arc::new(make(socket))
    };
    parts.cluster(cluster);
    if !matches!(service.discovery, Discovery::Dns(_)) {
        parts.endpoints(endpoint::assignment(scope.mesh, scope.shared, scope.at(), destination));
    }
}

fn as_called(
    scope: &Scope<'_>,
    destination: Destination,
    name: &str,
    terms: &Terms<'_>,
    transport_socket: Option<TransportSocket>,
) -> Cluster {
    let service = scope.mesh.service(destination.service);
    let found = match &service.discovery {
        Discovery::Dns(dns) => Found::ByDns(dns, endpoint::resolved(service, name, dns)),
        Discovery::Said | Discovery::Ecs(_) | Discovery::CloudMap(_) => Found::Told,
    };
    let usual = names::destination(scope.mesh, destination);
    cluster::towards(Towards {
        // Dashboards know a service by its name, with and without failover.
        stat_name: (name != usual).then(|| names::stat_name(&usual)),
        name: name.to_owned(),
        found,
        protocol: service.protocol,
        limits: terms.limits(),
        pool: service.connection_pool.as_ref(),
        outliers: terms.outliers,
        health_check: service.health_check.as_ref(),
        checks_bypass_sidecars: service.endpoints.iter().any(|endpoint| endpoint.node.is_some()),
        balancing: service.load_balancing.as_ref(),
        transport_socket,
    })
}

/// What a caller may say of a service in place of what the service says.
#[derive(PartialEq)]
struct Terms<'a> {
    breaker: &'a CircuitBreaker,
    outliers: Option<&'a OutlierDetection>,
    budget: Option<Budget>,
}

impl<'a> Terms<'a> {
    /// Whoever calls.
    fn common(service: &'a Service) -> Self {
        Self {
            breaker: &service.circuit_breaker,
            outliers: service.outlier_detection.as_ref(),
            budget: service.retry.as_ref().and_then(budget),
        }
    }

    /// As this proxy calls it.
    fn of(scope: &Scope<'a>, id: Id<Service>) -> Self {
        let common = Self::common(scope.mesh.service(id));
        let call = scope.call(id);
        let of_gateway = scope.gateway().and_then(|gateway| gateway.retry.as_ref());
        let retry = call.and_then(|call| call.retry.as_ref()).or(of_gateway);
        Self {
            breaker: call.and_then(|call| call.circuit_breaker.as_ref()).unwrap_or(common.breaker),
            outliers: call.and_then(|call| call.outlier_detection.as_ref()).or(common.outliers),
            // The narrowest `retry` holds as a whole, with or without a budget.
            budget: retry.map_or(common.budget, budget),
        }
    }

    fn limits(&self) -> Limits {
        Limits {
            max_connections: self.breaker.max_connections,
            max_pending_requests: self.breaker.max_pending,
            max_requests: self.breaker.max_requests,
            max_retries: self.breaker.max_retries,
            budget: self.budget,
        }
    }
}

fn budget(retry: &Retry) -> Option<Budget> {
    retry.budget.as_ref().map(|budget| Budget {
        percent: f64::from(budget.percent.value.per_million()) / 10_000.0,
        min_concurrency: budget.min_concurrency.as_ref().map_or(MIN_CONCURRENCY, |said| said.value),
    })
}
