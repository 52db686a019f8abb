//! `envoy.clusters.aggregate`: the first cluster of a list that has healthy endpoints.

use envoy::config::cluster::v3::{
    Cluster,
    cluster::{ClusterDiscoveryType, CustomClusterType, LbPolicy},
};
use envoy::config::route::v3::{Route, route, route_action::HostRewriteSpecifier};
use envoy::extensions::clusters::aggregate::v3::ClusterConfig;
use spec::mesh::{ConnectionPool, Protocol};

use super::{CONNECT_TIMEOUT, Limits, pool};
use crate::envoy::duration;

/// Bounds on retries and what is spoken are looked up here by Envoy's router, all else in the cluster that was chosen.
pub(crate) struct Aggregate<'a> {
    pub name: String,
    pub stat_name: String,
    pub members: Vec<String>,
    pub protocol: Protocol,
    pub limits: Limits,
    pub pool: Option<&'a ConnectionPool>,
}

pub(crate) fn aggregate(parts: Aggregate<'_>) -> Cluster {
    let custom = CustomClusterType {
        name: "envoy.clusters.aggregate".to_owned(),
        typed_config: Some(envoy::any(&ClusterConfig { clusters: parts.members })),
    };
    Cluster {
        name: parts.name,
        alt_stat_name: parts.stat_name,
        connect_timeout: Some(duration(pool::connect_timeout(parts.pool).unwrap_or(CONNECT_TIMEOUT))),
        lb_policy: LbPolicy::ClusterProvided.into(),
        circuit_breakers: parts.limits.message(),
        typed_extension_protocol_options: pool::protocol_options(parts.protocol, parts.pool),
        cluster_discovery_type: Some(ClusterDiscoveryType::ClusterType(custom)),
        ..Default::default()
    }
}

/// Which service a request goes to is known only when its endpoint is chosen: it gets the `Host` of that endpoint.
pub(crate) fn host_of_the_endpoint(route: &mut Route) {
    if let Some(route::Action::Route(action)) = &mut route.action {
        action.host_rewrite_specifier = Some(HostRewriteSpecifier::AutoHostRewrite(true));
        action.append_x_forwarded_host = true;
    }
}
