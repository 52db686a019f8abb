//! How an Envoy reaches its control plane: a cluster of its bootstrap, and one aggregated stream over it.

use std::net::IpAddr;
use std::time::Duration;

use envoy::config::bootstrap::v3::bootstrap::DynamicResources;
use envoy::config::cluster::v3::{Cluster, cluster};
use envoy::config::core::v3::{
    ApiConfigSource, ApiVersion, BackoffStrategy, ConfigSource, GrpcService, Http2ProtocolOptions, KeepaliveSettings,
    RetryPolicy, TransportSocket,
    api_config_source::ApiType,
    grpc_service::{EnvoyGrpc, TargetSpecifier},
};
use envoy::config::endpoint::v3::{ClusterLoadAssignment, LocalityLbEndpoints};
use envoy::extensions::upstreams::http::v3::{
    HttpProtocolOptions,
    http_protocol_options::{ExplicitHttpConfig, UpstreamProtocolOptions, explicit_http_config::ProtocolConfig},
};
use spec::mesh::HostPort;

use super::listener::from_control_plane;
use super::{duration, names, outside};

/// After a connection is lost the first try comes within this time, and later ones at most [`RETRY_MAX`] apart. Envoy
/// would wait for up to half a minute.
const RETRY_BASE: Duration = Duration::from_millis(200);
const RETRY_MAX: Duration = Duration::from_secs(5);
/// A control plane that vanished without a word is found out by an unanswered ping.
const PING_INTERVAL: Duration = Duration::from_secs(30);
const PING_TIMEOUT: Duration = Duration::from_secs(5);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// Where a control plane is.
pub(crate) enum Servers<'a> {
    Addresses(&'a [HostPort]),
    /// A Unix socket.
    Socket(&'a str),
}

/// Servers take turns: a dead one costs one refused connection, and none is preferred that would have to be found
/// healthy before it is left, or taken again.
pub(crate) fn cluster(servers: &Servers<'_>, transport_socket: Option<TransportSocket>) -> Cluster {
    let endpoint = |address| outside::endpoint(address);
    let (endpoints, discovery) = match servers {
        Servers::Socket(path) => (vec![endpoint(outside::pipe(path))], cluster::DiscoveryType::Static),
        Servers::Addresses(all) => {
            let literal = all.iter().all(|at| at.host.parse::<IpAddr>().is_ok());
            let kind = if literal { cluster::DiscoveryType::Static } else { cluster::DiscoveryType::StrictDns };
            (all.iter().map(|at| endpoint(outside::address(at))).collect(), kind)
        }
    };
    let locality = LocalityLbEndpoints { lb_endpoints: endpoints, ..Default::default() };
    let protocol = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions".to_owned();
    Cluster {
        name: names::CONTROL_PLANE_CLUSTER.to_owned(),
        connect_timeout: Some(duration(CONNECT_TIMEOUT)),
        load_assignment: Some(ClusterLoadAssignment {
            cluster_name: names::CONTROL_PLANE_CLUSTER.to_owned(),
            endpoints: vec![locality],
            ..Default::default()
        }),
        typed_extension_protocol_options: [(protocol, envoy::any(&http2()))].into(),
        cluster_discovery_type: Some(cluster::ClusterDiscoveryType::Type(discovery.into())),
        transport_socket,
        ..Default::default()
    }
}

/// Everything comes over one aggregated stream. `authority` is by what name the server is called; empty: the cluster's.
pub(crate) fn resources(api_type: ApiType, authority: &str, initial_fetch_timeout: Duration) -> DynamicResources {
    let retry = RetryPolicy {
        retry_back_off: Some(BackoffStrategy {
            base_interval: Some(duration(RETRY_BASE)),
            max_interval: Some(duration(RETRY_MAX)),
        }),
        ..Default::default()
    };
    let target = EnvoyGrpc {
        cluster_name: names::CONTROL_PLANE_CLUSTER.to_owned(),
        authority: authority.to_owned(),
        retry_policy: Some(retry),
        ..Default::default()
    };
    let service = GrpcService { target_specifier: Some(TargetSpecifier::EnvoyGrpc(target)), ..Default::default() };
    let source = ConfigSource { initial_fetch_timeout: Some(duration(initial_fetch_timeout)), ..from_control_plane() };
    DynamicResources {
        lds_config: Some(source.clone()),
        cds_config: Some(source),
        ads_config: Some(ApiConfigSource {
            api_type: api_type.into(),
            transport_api_version: ApiVersion::V3.into(),
            grpc_services: vec![service],
            set_node_on_first_message_only: true,
            ..Default::default()
        }),
        ..Default::default()
    }
}

fn http2() -> HttpProtocolOptions {
    let keepalive = KeepaliveSettings {
        interval: Some(duration(PING_INTERVAL)),
        timeout: Some(duration(PING_TIMEOUT)),
        connection_idle_interval: Some(duration(PING_INTERVAL)),
        ..Default::default()
    };
    let http2 = Http2ProtocolOptions { connection_keepalive: Some(keepalive), ..Default::default() };
    HttpProtocolOptions {
        upstream_protocol_options: Some(UpstreamProtocolOptions::ExplicitHttpConfig(ExplicitHttpConfig {
            protocol_config: Some(ProtocolConfig::Http2ProtocolOptions(http2)),
        })),
        ..Default::default()
    }
}
