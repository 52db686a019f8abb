//! Clusters with the endpoints the mesh names.

use std::time::Duration;

use envoy::config::cluster::v3::{CircuitBreakers, Cluster, circuit_breakers::Thresholds, cluster};
use envoy::config::core::v3::{HealthCheck, health_check};
use envoy::r#type::v3::Int64Range;
use policy::HEALTH_CHECK_HEADER;
use spec::units::StatusRange;

use super::duration;
use super::endpoint::{WeightedAddress, load_assignment};
use super::listener::from_control_plane;
use super::names;
use super::route::header_value;

/// What a cluster is made of.
pub(crate) struct StaticCluster {
    pub name: String,
    pub endpoints: Vec<WeightedAddress>,
    pub circuit_breaker: Option<Limits>,
    pub health_check: Option<HttpHealthCheck>,
}

/// Envoy's circuit breaker of the default priority; what is absent has Envoy's default.
pub(crate) struct Limits {
    pub max_connections: Option<u32>,
    pub max_pending_requests: Option<u32>,
    pub max_requests: Option<u32>,
    pub max_retries: Option<u32>,
}

/// An active check: `GET path` with `host`, expecting a status of the range.
pub(crate) struct HttpHealthCheck {
    pub host: String,
    pub path: String,
    pub interval: Duration,
    pub timeout: Duration,
    pub expect: StatusRange,
    pub healthy_threshold: u32,
    pub unhealthy_threshold: u32,
}

/// A cluster whose endpoints the control plane tells.
pub(crate) struct Discovered {
    pub name: String,
    pub circuit_breaker: Option<Limits>,
    pub health_check: Option<HttpHealthCheck>,
}

/// Endpoints that are removed leave at once, whatever health checks last said of them.
pub(crate) fn discovered(parts: Discovered) -> Cluster {
    let eds = cluster::EdsClusterConfig { eds_config: Some(from_control_plane()), ..Default::default() };
    Cluster {
        eds_cluster_config: Some(eds),
        ignore_health_on_host_removal: true,
        cluster_discovery_type: Some(cluster::ClusterDiscoveryType::Type(cluster::DiscoveryType::Eds.into())),
        load_assignment: None,
        ..static_cluster(StaticCluster {
            name: parts.name,
            endpoints: Vec::new(),
            circuit_breaker: parts.circuit_breaker,
            health_check: parts.health_check,
        })
    }
}

pub(crate) fn static_cluster(parts: StaticCluster) -> Cluster {
    Cluster {
        alt_stat_name: if parts.name.contains('.') { names::stat_name(&parts.name) } else { String::new() },
        connect_timeout: Some(duration(Duration::from_secs(1))),
        lb_policy: cluster::LbPolicy::RoundRobin.into(),
        load_assignment: Some(load_assignment(&parts.name, &parts.endpoints)),
        health_checks: parts.health_check.map(health_check).into_iter().collect(),
        circuit_breakers: parts.circuit_breaker.map(circuit_breakers),
        cluster_discovery_type: Some(cluster::ClusterDiscoveryType::Type(cluster::DiscoveryType::Static.into())),
        name: parts.name,
        ..Default::default()
    }
}

fn circuit_breakers(limits: Limits) -> CircuitBreakers {
    let thresholds = Thresholds {
        max_connections: limits.max_connections,
        max_pending_requests: limits.max_pending_requests,
        max_requests: limits.max_requests,
        max_retries: limits.max_retries,
        ..Default::default()
    };
    CircuitBreakers { thresholds: vec![thresholds], ..Default::default() }
}

/// Checks go on at the declared interval without traffic too: Envoy's own default, 60 s, would leave an endpoint
/// that recovered unused for minutes.
fn health_check(check: HttpHealthCheck) -> HealthCheck {
    let http = health_check::HttpHealthCheck {
        host: check.host,
        path: check.path,
        request_headers_to_add: vec![header_value(HEALTH_CHECK_HEADER, "1")],
        expected_statuses: vec![Int64Range { start: i64::from(check.expect.low), end: i64::from(check.expect.high) }],
        ..Default::default()
    };
    HealthCheck {
        timeout: Some(duration(check.timeout)),
        interval: Some(duration(check.interval)),
        no_traffic_interval: Some(duration(check.interval)),
        unhealthy_threshold: Some(check.unhealthy_threshold),
        healthy_threshold: Some(check.healthy_threshold),
        health_checker: Some(health_check::HealthChecker::HttpHealthCheck(http)),
        ..Default::default()
    }
}
