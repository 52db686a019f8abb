//! Everything in its place: a configuration for an Envoy that has no control plane.
//!
//! `envoy --mode validate` reads nothing but the bootstrap, so this is also how a snapshot is validated.

use std::collections::BTreeMap;

use ::envoy::config::bootstrap::v3::{Bootstrap, bootstrap::StaticResources};
use ::envoy::config::cluster::v3::{Cluster, cluster::ClusterDiscoveryType, cluster::DiscoveryType};
use ::envoy::config::endpoint::v3::ClusterLoadAssignment;
use ::envoy::config::listener::v3::Listener;
use ::envoy::config::route::v3::RouteConfiguration;
use ::envoy::extensions::filters::network::http_connection_manager::v3::http_connection_manager::RouteSpecifier;

use super::connection_managers::{self, Edit};
use super::secrets::{Sources, place_in_cluster, place_in_listener};
use crate::lower::NodeConfig;

/// The bootstrap with every resource in it: routes inside listeners, endpoints inside clusters. Files
/// that secrets name are read once, at the start.
pub fn inline(config: &NodeConfig) -> Bootstrap {
    let routes: BTreeMap<&str, &RouteConfiguration> =
        config.routes.iter().map(|routes| (routes.name.as_str(), &**routes)).collect();
    let endpoints: BTreeMap<&str, &ClusterLoadAssignment> =
        config.endpoints.iter().map(|endpoints| (endpoints.cluster_name.as_str(), &**endpoints)).collect();
    let primary = config.bootstrap.static_resources.iter().flat_map(|already| already.clusters.clone());
    let inside = |_: &str| None;
    let sources = Sources::new(config, &inside);
    let listeners = config.listeners.iter().map(|it| {
        let mut listener = with_routes(it, &routes);
        place_in_listener(&mut listener, &sources);
        listener
    });
    let clusters = config.clusters.iter().map(|it| {
        let mut cluster = with_endpoints(it, &endpoints);
        place_in_cluster(&mut cluster, &sources);
        cluster
    });
    let resources = StaticResources {
        listeners: listeners.collect(),
        clusters: primary.chain(clusters).collect(),
        secrets: config.secrets.iter().map(|secret| (**secret).clone()).collect(),
    };
    Bootstrap { static_resources: Some(resources), ..config.bootstrap.clone() }
}

fn with_routes(listener: &Listener, routes: &BTreeMap<&str, &RouteConfiguration>) -> Listener {
    let mut listener = listener.clone();
    connection_managers::edit(&mut listener, |manager| {
        let Some(RouteSpecifier::Rds(rds)) = &manager.route_specifier else { return Edit::Untouched };
        let Some(routes) = routes.get(rds.route_config_name.as_str()) else { return Edit::Untouched };
        manager.route_specifier = Some(RouteSpecifier::RouteConfig((*routes).clone()));
        Edit::Changed
    });
    listener
}

fn with_endpoints(cluster: &Cluster, endpoints: &BTreeMap<&str, &ClusterLoadAssignment>) -> Cluster {
    let eds = ClusterDiscoveryType::Type(DiscoveryType::Eds.into());
    if cluster.cluster_discovery_type != Some(eds) {
        return cluster.clone();
    }
    let mut cluster = cluster.clone();
    let named = cluster.eds_cluster_config.take().map(|eds| eds.service_name).filter(|name| !name.is_empty());
    let named = named.unwrap_or_else(|| cluster.name.clone());
    cluster.cluster_discovery_type = Some(ClusterDiscoveryType::Type(DiscoveryType::Static.into()));
    cluster.load_assignment = endpoints.get(named.as_str()).map(|endpoints| (*endpoints).clone());
    cluster
}
