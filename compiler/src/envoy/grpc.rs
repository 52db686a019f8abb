//! Resources as gRPC's own xDS clients understand them: a part of what Envoy does (gRFCs A27, A28, A31, A42, A44). What
//! they do not know some of them refuse, with all that came along, so it is left out.

use std::collections::BTreeMap;

use envoy::config::cluster::v3::circuit_breakers::Thresholds;
use envoy::config::cluster::v3::{CircuitBreakers, Cluster, cluster};
use envoy::config::core::v3::Locality;
use envoy::config::endpoint::v3::{
    ClusterLoadAssignment, Endpoint, LbEndpoint, LocalityLbEndpoints, lb_endpoint::HostIdentifier,
};
use envoy::config::listener::v3::{ApiListener, Listener};
use envoy::config::route::v3::{
    RetryPolicy, Route, RouteAction, RouteConfiguration, RouteMatch, VirtualHost, WeightedCluster,
    route::Action,
    route_action::{ClusterSpecifier, HashPolicy, MaxStreamDuration, hash_policy::PolicySpecifier},
    weighted_cluster::ClusterWeight,
};
use envoy::extensions::filters::network::http_connection_manager::v3::{
    HttpConnectionManager, Rds, http_connection_manager::RouteSpecifier,
};

use super::http_filter;
use super::listener::from_control_plane;
use super::names;

/// What an application asks for that dials `xds:///NAME`.
pub(crate) fn listener(name: &str, routes: &str) -> Listener {
    let manager = HttpConnectionManager {
        stat_prefix: names::http_stat_prefix(routes),
        http_filters: http_filter::chain(Vec::new()),
        route_specifier: Some(RouteSpecifier::Rds(Rds {
            config_source: Some(from_control_plane()),
            route_config_name: routes.to_owned(),
        })),
        ..Default::default()
    };
    Listener {
        name: name.to_owned(),
        api_listener: Some(ApiListener { api_listener: Some(envoy::any(&manager)) }),
        ..Default::default()
    }
}

/// The routes of one service. Whatever name was dialled, they are for that.
pub(crate) fn routes(name: &str, routes: Vec<Route>) -> RouteConfiguration {
    let host = VirtualHost {
        name: names::virtual_host(name),
        domains: vec!["*".to_owned()],
        routes: routes.into_iter().filter_map(route).collect(),
        ..Default::default()
    };
    RouteConfiguration { name: name.to_owned(), virtual_hosts: vec![host], ..Default::default() }
}

/// Endpoints are told; of the ways to choose one there are two.
pub(crate) fn cluster(of_envoy: &Cluster) -> Cluster {
    let hashes = of_envoy.lb_policy() == cluster::LbPolicy::RingHash;
    let most = of_envoy.circuit_breakers.iter().flat_map(|it| &it.thresholds).find_map(|it| it.max_requests);
    let thresholds = Thresholds { max_requests: most, ..Default::default() };
    let eds = cluster::EdsClusterConfig {
        eds_config: Some(from_control_plane()),
        service_name: names::grpc_endpoints(&of_envoy.name),
    };
    let policy = if hashes { cluster::LbPolicy::RingHash } else { cluster::LbPolicy::RoundRobin };
    Cluster {
        name: of_envoy.name.clone(),
        cluster_discovery_type: Some(cluster::ClusterDiscoveryType::Type(cluster::DiscoveryType::Eds.into())),
        eds_cluster_config: Some(eds),
        lb_policy: policy.into(),
        lb_config: of_envoy.lb_config.clone().filter(|_| hashes),
        circuit_breakers: most.map(|_| CircuitBreakers { thresholds: vec![thresholds], ..Default::default() }),
        ..Default::default()
    }
}

/// How the endpoints of a place share its requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shares {
    /// Evenly, whatever their weights: those of one weight are a place of their own, which has their weight.
    InTurn,
    /// By weight and place.
    ByHash,
}

/// Places need a weight, or gRPC leaves them out.
pub(crate) fn assignment(name: &str, of_envoy: &ClusterLoadAssignment, shares: Shares) -> ClusterLoadAssignment {
    let endpoints = match shares {
        Shares::InTurn => of_envoy.endpoints.iter().flat_map(by_weight).collect(),
        Shares::ByHash => of_envoy.endpoints.iter().map(|group| place(group, "", 1, bare(group))).collect(),
    };
    ClusterLoadAssignment { cluster_name: name.to_owned(), endpoints, ..Default::default() }
}

fn by_weight(group: &LocalityLbEndpoints) -> Vec<LocalityLbEndpoints> {
    let mut weights: BTreeMap<u32, Vec<LbEndpoint>> = BTreeMap::new();
    for endpoint in bare(group) {
        weights.entry(endpoint.load_balancing_weight.unwrap_or(1).max(1)).or_default().push(endpoint);
    }
    let several = weights.len() > 1;
    let groups = weights.into_iter().map(|(weight, endpoints)| {
        let count = u32::try_from(endpoints.len()).unwrap_or(u32::MAX);
        let name = if several { format!("weight-{weight}") } else { String::new() };
        place(group, &name, weight.saturating_mul(count), endpoints)
    });
    groups.collect()
}

fn place(group: &LocalityLbEndpoints, sub_zone: &str, weight: u32, endpoints: Vec<LbEndpoint>) -> LocalityLbEndpoints {
    let locality = group.locality.clone().unwrap_or_default();
    LocalityLbEndpoints {
        locality: Some(Locality { sub_zone: sub_zone.to_owned(), ..locality }),
        load_balancing_weight: Some(weight),
        lb_endpoints: endpoints,
        priority: group.priority,
        ..Default::default()
    }
}

/// The endpoints without what only Envoy asks.
fn bare(group: &LocalityLbEndpoints) -> Vec<LbEndpoint> {
    let bare = |it: &LbEndpoint| {
        let Some(HostIdentifier::Endpoint(endpoint)) = &it.host_identifier else { return None };
        let endpoint = Endpoint { address: endpoint.address.clone(), ..Default::default() };
        Some(LbEndpoint {
            load_balancing_weight: it.load_balancing_weight,
            host_identifier: Some(HostIdentifier::Endpoint(endpoint)),
            ..Default::default()
        })
    };
    group.lb_endpoints.iter().filter_map(bare).collect()
}

/// `None` for what gRPC does not do with a request: the check has refused it.
fn route(route: Route) -> Option<Route> {
    let Some(Action::Route(action)) = route.action else { return None };
    let matches = route.r#match.unwrap_or_default();
    Some(Route {
        r#match: Some(RouteMatch {
            path_specifier: matches.path_specifier,
            case_sensitive: matches.case_sensitive,
            headers: matches.headers,
            runtime_fraction: matches.runtime_fraction,
            // That a request is one of gRPC need not be asked.
            ..Default::default()
        }),
        action: Some(Action::Route(forward(action))),
        ..Default::default()
    })
}

fn forward(action: RouteAction) -> RouteAction {
    let limit = action.timeout.filter(|limit| *limit != prost_types::Duration::default());
    RouteAction {
        cluster_specifier: action.cluster_specifier.map(shares),
        max_stream_duration: limit
            .map(|limit| MaxStreamDuration { max_stream_duration: Some(limit), ..Default::default() }),
        retry_policy: action.retry_policy.and_then(retry),
        hash_policy: action.hash_policy.into_iter().filter(is_header).collect(),
        ..Default::default()
    }
}

fn shares(specifier: ClusterSpecifier) -> ClusterSpecifier {
    let ClusterSpecifier::WeightedClusters(weighted) = specifier else { return specifier };
    let bare = |it: ClusterWeight| ClusterWeight { name: it.name, weight: it.weight, ..Default::default() };
    let clusters = weighted.clusters.into_iter().map(bare).collect();
    ClusterSpecifier::WeightedClusters(WeightedCluster { clusters, ..Default::default() })
}

/// Words that gRPC knows are statuses of calls; of others it makes nothing.
fn retry(policy: RetryPolicy) -> Option<RetryPolicy> {
    let known: Vec<&str> = policy.retry_on.split(',').filter(|word| RETRIED.contains(word)).collect();
    (!known.is_empty()).then(|| RetryPolicy {
        retry_on: known.join(","),
        num_retries: policy.num_retries,
        retry_back_off: policy.retry_back_off,
        ..Default::default()
    })
}

/// What gRPC tries again (gRFC A44).
pub(crate) const RETRIED: [&str; 5] =
    ["cancelled", "deadline-exceeded", "internal", "resource-exhausted", "unavailable"];

fn is_header(policy: &HashPolicy) -> bool {
    matches!(policy.policy_specifier, Some(PolicySpecifier::Header(_)))
}
