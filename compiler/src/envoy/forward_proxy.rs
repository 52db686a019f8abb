//! Hosts outside the mesh that callers name: resolved by this Envoy, when they are asked for.

use envoy::config::cluster::v3::{Cluster, cluster};
use envoy::config::cluster::v3::cluster::DnsLookupFamily;
use envoy::config::listener::v3::Filter;
use envoy::extensions::clusters::dynamic_forward_proxy::v3::{
    ClusterConfig, cluster_config::ClusterImplementationSpecifier,
};
use envoy::extensions::common::dynamic_forward_proxy::v3::DnsCacheConfig;
use envoy::extensions::filters::http::dynamic_forward_proxy::v3::{
    FilterConfig, filter_config::ImplementationSpecifier,
};
use envoy::extensions::filters::network::sni_dynamic_forward_proxy::v3::{
    FilterConfig as SniConfig, filter_config::PortSpecifier,
};

use super::egress::{CONNECT_TIMEOUT, Forbidden, Travel, guarded_by_name};
use super::http_filter::{HttpFilter, Rank, typed};
use super::listener::network;
use super::{duration, names, outside};

/// Resolves the host of requests, where a virtual host says so.
pub(crate) fn filter() -> HttpFilter {
    let config = FilterConfig {
        implementation_specifier: Some(ImplementationSpecifier::DnsCacheConfig(cache())),
        ..Default::default()
    };
    typed(Rank::ForwardProxy, FILTER, &config).disabled()
}

/// The name of [`filter`].
pub(crate) const FILTER: &str = "envoy.filters.http.dynamic_forward_proxy";

/// Resolves the server name of connections; `port` is where they go.
pub(crate) fn by_server_name(port: u16) -> Filter {
    let config = SniConfig {
        dns_cache_config: Some(cache()),
        save_upstream_address: true,
        port_specifier: Some(PortSpecifier::PortValue(u32::from(port))),
    };
    network("envoy.filters.network.sni_dynamic_forward_proxy", &config)
}

/// Whatever host the filters resolved.
pub(crate) fn anywhere(travel: Travel, forbidden: &Forbidden) -> Cluster {
    let (name, transport_socket) = match travel {
        Travel::AsTheyCame => (names::EGRESS_ANYWHERE, None),
        Travel::Encrypted => (names::EGRESS_ENCRYPTED_ANYWHERE, Some(outside::believed_by_the_system())),
    };
    let config = ClusterConfig {
        cluster_implementation_specifier: Some(ClusterImplementationSpecifier::DnsCacheConfig(cache())),
        ..Default::default()
    };
    let cluster_type = cluster::CustomClusterType {
        name: "envoy.clusters.dynamic_forward_proxy".to_owned(),
        typed_config: Some(envoy::any(&config)),
    };
    let cluster = Cluster {
        name: name.to_owned(),
        alt_stat_name: names::stat_name(name),
        connect_timeout: Some(duration(CONNECT_TIMEOUT)),
        lb_policy: cluster::LbPolicy::ClusterProvided.into(),
        cluster_discovery_type: Some(cluster::ClusterDiscoveryType::ClusterType(cluster_type)),
        transport_socket,
        ..Default::default()
    };
    guarded_by_name(cluster, travel, forbidden)
}

/// The same wherever it is named: Envoy keeps one cache of this name.
fn cache() -> DnsCacheConfig {
    DnsCacheConfig {
        name: names::EGRESS_NAMES.to_owned(),
        dns_lookup_family: DnsLookupFamily::V4Preferred.into(),
        ..Default::default()
    }
}
