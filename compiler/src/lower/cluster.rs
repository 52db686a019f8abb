//! A service as a cluster: from its callers, and from the sidecar beside it.

use ::envoy::config::cluster::v3::Cluster;

use super::endpoint;
use crate::checked::{HealthCheck, Serve, Service};
use crate::envoy::cluster::{HttpHealthCheck, Limits, StaticCluster, static_cluster};
use crate::envoy::names;

/// Towards the sidecars of the service.
pub(super) fn remote(service: &Service) -> Cluster {
    static_cluster(StaticCluster {
        name: names::cluster(service),
        endpoints: endpoint::remote(service),
        circuit_breaker: limits(service),
        health_check: service.health_check.as_ref().map(|check| health_check(service, check)),
    })
}

/// Towards the application beside the sidecar.
pub(super) fn local(service: &Service, serve: &Serve) -> Cluster {
    let check = service.health_check.as_ref();
    static_cluster(StaticCluster {
        name: names::local_cluster(service),
        endpoints: endpoint::local(&serve.upstreams, check.and_then(|check| check.port)),
        circuit_breaker: limits(service),
        health_check: check.map(|check| health_check(service, check)),
    })
}

fn limits(service: &Service) -> Option<Limits> {
    let breaker = &service.circuit_breaker;
    let said = [breaker.max_connections, breaker.max_pending, breaker.max_requests, breaker.max_retries];
    said.iter().any(Option::is_some).then_some(Limits {
        max_connections: breaker.max_connections,
        max_pending_requests: breaker.max_pending,
        max_requests: breaker.max_requests,
        max_retries: breaker.max_retries,
    })
}

fn health_check(service: &Service, check: &HealthCheck) -> HttpHealthCheck {
    HttpHealthCheck {
        host: service.name.key(),
        path: check.path.clone(),
        interval: check.interval,
        timeout: check.timeout,
        expect: check.expect,
        healthy_threshold: check.healthy_threshold,
        unhealthy_threshold: check.unhealthy_threshold,
    }
}
