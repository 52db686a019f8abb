//! Clusters: where requests go, and within which bounds.

pub(crate) mod aggregate;
mod balancing;
mod dns;
mod health;
mod limits;
mod outliers;
mod pool;

use std::time::Duration;

use envoy::config::cluster::v3::{Cluster, cluster};
use envoy::config::core::v3::{HealthCheck as Check, TransportSocket};
use envoy::config::endpoint::v3::ClusterLoadAssignment;
use spec::mesh::{ConnectionPool, Dns, LoadBalancing, OutlierDetection, Protocol};

use super::duration;
use super::endpoint::{WeightedAddress, load_assignment};
use super::listener::from_control_plane;
use super::names;
use crate::checked::HealthCheck;
pub(crate) use limits::{Budget, Limits};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// What a cluster is made of, when its endpoints are those of a service.
pub(crate) struct Towards<'a> {
    pub name: String,
    /// Its name in statistics, when not that of the cluster.
    pub stat_name: Option<String>,
    pub found: Found<'a>,
    pub protocol: Protocol,
    pub limits: Limits,
    pub pool: Option<&'a ConnectionPool>,
    pub outliers: Option<&'a OutlierDetection>,
    pub health_check: Option<&'a HealthCheck>,
    /// Whether checks on a port of their own meet an application that stands behind an encrypting sidecar.
    pub checks_bypass_sidecars: bool,
    pub balancing: Option<&'a LoadBalancing>,
    pub transport_socket: Option<TransportSocket>,
}

/// How its endpoints are found.
pub(crate) enum Found<'a> {
    /// The control plane tells them.
    Told,
    /// By DNS; the assignment has the one name.
    ByDns(&'a Dns, ClusterLoadAssignment),
    Said(ClusterLoadAssignment),
}

/// A cluster of Envoy's own, within Envoy's bounds.
pub(crate) struct StaticCluster {
    pub name: String,
    pub endpoints: Vec<WeightedAddress>,
    pub circuit_breaker: Option<Limits>,
    pub health_check: Option<Check>,
}

/// Endpoints that are removed leave at once, whatever health checks last said of them.
pub(crate) fn towards(parts: Towards<'_>) -> Cluster {
    let mut cluster = Cluster {
        alt_stat_name: parts.stat_name.unwrap_or_else(|| stat_name(&parts.name)),
        connect_timeout: Some(duration(pool::connect_timeout(parts.pool).unwrap_or(CONNECT_TIMEOUT))),
        circuit_breakers: parts.limits.message(),
        outlier_detection: parts.outliers.map(outliers::detection),
        health_checks: parts.health_check.map(health::check).into_iter().collect(),
        typed_extension_protocol_options: pool::protocol_options(parts.protocol, parts.pool),
        upstream_connection_options: parts.pool.and_then(pool::connection_options),
        name: parts.name,
        ..Default::default()
    };
    match parts.found {
        Found::Told => {
            let eds = cluster::EdsClusterConfig { eds_config: Some(from_control_plane()), ..Default::default() };
            cluster.eds_cluster_config = Some(eds);
            cluster.ignore_health_on_host_removal = true;
            cluster.cluster_discovery_type = kind(cluster::DiscoveryType::Eds);
        }
        Found::ByDns(dns, assignment) => dns::apply(&mut cluster, dns, assignment),
        Found::Said(assignment) => {
            cluster.load_assignment = Some(assignment);
            cluster.cluster_discovery_type = kind(cluster::DiscoveryType::Static);
        }
    }
    if let Some(balancing) = parts.balancing {
        balancing::apply(&mut cluster, balancing);
    }
    if let Some(socket) = parts.transport_socket {
        if parts.checks_bypass_sidecars && parts.health_check.is_some_and(|check| check.port.is_some()) {
            health::in_plain_text(&mut cluster);
        }
        cluster.transport_socket = Some(socket);
    }
    cluster
}

pub(crate) fn static_cluster(parts: StaticCluster) -> Cluster {
    Cluster {
        alt_stat_name: stat_name(&parts.name),
        connect_timeout: Some(duration(CONNECT_TIMEOUT)),
        load_assignment: Some(load_assignment(&parts.name, &parts.endpoints)),
        health_checks: parts.health_check.into_iter().collect(),
        circuit_breakers: parts.circuit_breaker.and_then(|limits| limits.message()),
        cluster_discovery_type: kind(cluster::DiscoveryType::Static),
        name: parts.name,
        ..Default::default()
    }
}

/// Whether requests prefer the caller's own zone.
pub(crate) fn is_zone_aware(cluster: &Cluster) -> bool {
    let specifier = cluster.common_lb_config.as_ref().and_then(|config| config.locality_config_specifier.as_ref());
    matches!(specifier, Some(cluster::common_lb_config::LocalityConfigSpecifier::ZoneAwareLbConfig(_)))
}

/// Empty where Envoy's own, the cluster's name, will do.
fn stat_name(name: &str) -> String {
    if name.contains('.') { names::stat_name(name) } else { String::new() }
}

fn kind(discovery: cluster::DiscoveryType) -> Option<cluster::ClusterDiscoveryType> {
    Some(cluster::ClusterDiscoveryType::Type(discovery.into()))
}
