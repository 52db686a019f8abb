//! Hosts outside the mesh: their clusters, what they must not resolve to, tunnels towards them.

use std::net::IpAddr;
use std::time::Duration;

use envoy::config::cluster::v3::{Cluster, cluster};
use envoy::config::core::v3::{CidrRange, Http2ProtocolOptions, TypedExtensionConfig, UpstreamHttpProtocolOptions};
use envoy::config::listener::v3::Filter;
use envoy::config::rbac::v3::{Permission, Policy, Principal, Rbac as Rules, permission, principal, rbac::Action};
use envoy::config::route::v3::{
    Route, RouteAction, RouteMatch,
    route::Action as RouteTo,
    route_action::{self, UpgradeConfig, upgrade_config::ConnectConfig},
    route_match::{ConnectMatcher, PathSpecifier},
};
use envoy::extensions::filters::http::rbac::v3::Rbac as HttpRbac;
use envoy::extensions::filters::http::upstream_codec::v3::UpstreamCodec;
use envoy::extensions::filters::network::http_connection_manager::v3::{HttpFilter, http_filter};
use envoy::extensions::filters::network::rbac::v3::Rbac as NetworkRbac;
use envoy::extensions::rbac::matchers::upstream_ip_port::v3::UpstreamIpPortMatcher;
use envoy::extensions::upstreams::http::v3::{
    HttpProtocolOptions,
    http_protocol_options::{AutoHttpConfig, UpstreamProtocolOptions, UseDownstreamHttpConfig},
};
use envoy::r#type::v3::Int64Range;
use spec::mesh::HostPort;

use super::listener::network;
use super::{duration, names, outside};

/// Servers outside may be far away.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Where nothing outside the mesh may be: what callers name must not lead there.
pub(crate) struct Forbidden {
    /// Addresses, and how many of their bits count.
    pub ranges: Vec<(IpAddr, u8)>,
    /// At whatever address.
    pub ports: Vec<u16>,
}

/// How a cluster's requests travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Travel {
    /// As they came.
    AsTheyCame,
    /// In TLS that this Envoy opens, in whatever version of HTTP the server prefers.
    Encrypted,
}

/// One host that is named. New connections go to the first address of the newest answer: names outside often have
/// hundreds.
pub(crate) fn host(name: String, at: &HostPort, travel: Travel, forbidden: &Forbidden) -> Cluster {
    let cluster = match travel {
        Travel::AsTheyCame => outside::plain_to(name, at),
        Travel::Encrypted => outside::encrypted_to(name, at),
    };
    let logical = cluster::ClusterDiscoveryType::Type(cluster::DiscoveryType::LogicalDns.into());
    let strict = cluster::ClusterDiscoveryType::Type(cluster::DiscoveryType::StrictDns.into());
    let discovery = cluster.cluster_discovery_type.clone().map(|said| if said == strict { logical } else { said });
    let connect_timeout = Some(duration(CONNECT_TIMEOUT));
    guarded(Cluster { cluster_discovery_type: discovery, connect_timeout, ..cluster }, travel, forbidden)
}

/// Wherever an intercepted connection was going.
pub(crate) fn original_destination(forbidden: &Forbidden) -> Cluster {
    let cluster = Cluster {
        name: names::EGRESS_ORIGINAL.to_owned(),
        alt_stat_name: names::stat_name(names::EGRESS_ORIGINAL),
        connect_timeout: Some(duration(CONNECT_TIMEOUT)),
        lb_policy: cluster::LbPolicy::ClusterProvided.into(),
        cluster_discovery_type: Some(cluster::ClusterDiscoveryType::Type(cluster::DiscoveryType::OriginalDst.into())),
        ..Default::default()
    };
    guarded(cluster, Travel::AsTheyCame, forbidden)
}

/// The cluster, which refuses (403) requests for which it chose a forbidden address, before it connects.
///
/// <https://www.envoyproxy.io/docs/envoy/v1.40.0/configuration/http/http_filters/upstream_rbac_filter>
pub(crate) fn guarded(cluster: Cluster, travel: Travel, forbidden: &Forbidden) -> Cluster {
    with_options(cluster, &options(travel, forbidden))
}

/// As [`guarded`], for servers that callers name: their certificates must have the name that was asked for.
pub(crate) fn guarded_by_name(cluster: Cluster, travel: Travel, forbidden: &Forbidden) -> Cluster {
    let names = UpstreamHttpProtocolOptions { auto_sni: true, auto_san_validation: true, ..Default::default() };
    let options = HttpProtocolOptions { upstream_http_protocol_options: Some(names), ..options(travel, forbidden) };
    with_options(cluster, &options)
}

fn options(travel: Travel, forbidden: &Forbidden) -> HttpProtocolOptions {
    let rules = HttpRbac { rules: Some(deny(chosen(forbidden))), ..Default::default() };
    let protocol = match travel {
        Travel::AsTheyCame => UpstreamProtocolOptions::UseDownstreamProtocolConfig(downstream()),
        Travel::Encrypted => UpstreamProtocolOptions::AutoConfig(AutoHttpConfig::default()),
    };
    HttpProtocolOptions {
        http_filters: vec![
            http("envoy.filters.http.upstream_rbac", &rules),
            http("envoy.filters.http.upstream_codec", &UpstreamCodec {}),
        ],
        upstream_protocol_options: Some(protocol),
        ..Default::default()
    }
}

/// Refuses a connection whose name resolved to a forbidden address: stands after what resolves it.
pub(crate) fn refuse_resolved(forbidden: &Forbidden) -> Filter {
    refuse(deny(chosen(forbidden)))
}

/// Refuses an intercepted connection that was going to a forbidden address.
pub(crate) fn refuse_dialled(forbidden: &Forbidden) -> Filter {
    let ranges = forbidden.ranges.iter().map(|range| permission::Rule::DestinationIp(cidr(range)));
    let ports = forbidden.ports.iter().map(|port| permission::Rule::DestinationPort(u32::from(*port)));
    refuse(deny(ranges.chain(ports).collect()))
}

/// A tunnel to a cluster: what the caller sends in it is passed as it is.
pub(crate) fn tunnel(cluster: &str) -> Route {
    let connect = UpgradeConfig {
        upgrade_type: "CONNECT".to_owned(),
        enabled: Some(true),
        connect_config: Some(ConnectConfig::default()),
    };
    let action = RouteAction {
        timeout: Some(duration(Duration::ZERO)),
        upgrade_configs: vec![connect],
        cluster_specifier: Some(route_action::ClusterSpecifier::Cluster(cluster.to_owned())),
        ..Default::default()
    };
    Route {
        r#match: Some(RouteMatch {
            path_specifier: Some(PathSpecifier::ConnectMatcher(ConnectMatcher {})),
            ..Default::default()
        }),
        action: Some(RouteTo::Route(action)),
        ..Default::default()
    }
}

fn refuse(rules: Rules) -> Filter {
    let config = NetworkRbac { rules: Some(rules), stat_prefix: "egress_".to_owned(), ..Default::default() };
    network("envoy.filters.network.rbac", &config)
}

fn deny(what: Vec<permission::Rule>) -> Rules {
    let anybody = Principal { identifier: Some(principal::Identifier::Any(true)), ..Default::default() };
    let policy = Policy {
        permissions: what.into_iter().map(|rule| Permission { rule: Some(rule) }).collect(),
        principals: vec![anybody],
        ..Default::default()
    };
    Rules {
        action: Action::Deny.into(),
        policies: [("forbidden".to_owned(), policy)].into(),
        ..Default::default()
    }
}

/// The address that Envoy chose is one of these.
fn chosen(forbidden: &Forbidden) -> Vec<permission::Rule> {
    let ranges = forbidden.ranges.iter().map(|range| UpstreamIpPortMatcher {
        upstream_ip: Some(cidr(range)),
        upstream_port_range: None,
    });
    let ports = forbidden.ports.iter().map(|port| UpstreamIpPortMatcher {
        upstream_ip: None,
        upstream_port_range: Some(Int64Range { start: i64::from(*port), end: i64::from(*port) + 1 }),
    });
    let rule = |matcher: UpstreamIpPortMatcher| {
        permission::Rule::Matcher(TypedExtensionConfig {
            name: "envoy.rbac.matchers.upstream_ip_port".to_owned(),
            typed_config: Some(envoy::any(&matcher)),
        })
    };
    ranges.chain(ports).map(rule).collect()
}

fn cidr((address, bits): &(IpAddr, u8)) -> CidrRange {
    CidrRange { address_prefix: address.to_string(), prefix_len: Some(u32::from(*bits)) }
}

/// gRPC without TLS is HTTP/2 on both sides.
fn downstream() -> UseDownstreamHttpConfig {
    UseDownstreamHttpConfig { http2_protocol_options: Some(Http2ProtocolOptions::default()), ..Default::default() }
}

fn http<M: prost::Name>(name: &str, config: &M) -> HttpFilter {
    HttpFilter {
        name: name.to_owned(),
        config_type: Some(http_filter::ConfigType::TypedConfig(envoy::any(config))),
        ..Default::default()
    }
}

fn with_options(cluster: Cluster, options: &HttpProtocolOptions) -> Cluster {
    let name = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions".to_owned();
    Cluster { typed_extension_protocol_options: [(name, envoy::any(options))].into(), ..cluster }
}
