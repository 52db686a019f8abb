//! Which resources a resource asks for by name.

use std::sync::Arc;

use bytes::Bytes;
use compiler::snapshot::ResourceKind;
use envoy::config::cluster::v3::Cluster;
use envoy::config::listener::v3::filter::ConfigType;
use envoy::config::listener::v3::{FilterChain, Listener};
use envoy::extensions::filters::network::http_connection_manager::v3::HttpConnectionManager;
use envoy::extensions::filters::network::http_connection_manager::v3::http_connection_manager::RouteSpecifier;
use envoy::extensions::filters::network::http_connection_manager::v3::http_filter;
use prost::{Message as _, Name as _};
use prost_types::Any;

/// The endpoints of a cluster, the routes and filters of a listener. What cannot be read asks for nothing.
pub(super) fn of(kind: ResourceKind, bytes: &Bytes) -> Vec<(ResourceKind, Arc<str>)> {
    match kind {
        ResourceKind::Cluster => endpoints(bytes).map(|name| (ResourceKind::Endpoints, name)).into_iter().collect(),
        ResourceKind::Listener => Listener::decode(bytes.clone()).map(listener).unwrap_or_default(),
        ResourceKind::Endpoints | ResourceKind::Secret | ResourceKind::Extension | ResourceKind::Routes => Vec::new(),
    }
}

/// The name under which an EDS cluster asks for its endpoints.
fn endpoints(bytes: &Bytes) -> Option<Arc<str>> {
    let cluster = Cluster::decode(bytes.clone()).ok()?;
    let eds = cluster.eds_cluster_config?;
    let name = if eds.service_name.is_empty() { cluster.name } else { eds.service_name };
    Some(name.into())
}

fn listener(listener: Listener) -> Vec<(ResourceKind, Arc<str>)> {
    let chains = listener.filter_chains.iter().chain(&listener.default_filter_chain).flat_map(in_chain);
    let api = listener.api_listener.iter().filter_map(|it| it.api_listener.as_ref());
    let mut names: Vec<_> = chains.chain(api).flat_map(in_connection_manager).collect();
    names.sort();
    names.dedup();
    names
}

fn in_chain(chain: &FilterChain) -> impl Iterator<Item = &Any> {
    chain.filters.iter().filter_map(|filter| match &filter.config_type {
        Some(ConfigType::TypedConfig(any)) => Some(any),
        _ => None,
    })
}

fn in_connection_manager(any: &Any) -> Vec<(ResourceKind, Arc<str>)> {
    if any.type_url != HttpConnectionManager::type_url() {
        return Vec::new();
    }
    let Ok(manager) = HttpConnectionManager::decode(any.value.as_slice()) else { return Vec::new() };
    let filters = manager.http_filters.iter().filter_map(|filter| match &filter.config_type {
        Some(http_filter::ConfigType::ConfigDiscovery(_)) => Some((ResourceKind::Extension, Arc::from(&*filter.name))),
        _ => None,
    });
    let routes = match &manager.route_specifier {
        Some(RouteSpecifier::Rds(rds)) => Some((ResourceKind::Routes, Arc::from(&*rds.route_config_name))),
        _ => None,
    };
    filters.chain(routes).collect()
}
