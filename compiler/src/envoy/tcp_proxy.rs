//! `envoy.filters.network.tcp_proxy`: bytes, to clusters by weight.

use std::time::Duration;

use envoy::config::accesslog::v3::AccessLog;
use envoy::extensions::filters::network::tcp_proxy::v3::{
    TcpProxy, UpstreamConnectMode,
    tcp_proxy::{ClusterSpecifier, WeightedCluster, weighted_cluster::ClusterWeight},
};

use super::duration;

/// What passes bytes.
pub(crate) struct Bytes {
    pub stat_prefix: String,
    /// Cluster and weight. Never empty.
    pub clusters: Vec<(String, u32)>,
    /// `None`: Envoy's hour. Zero: none.
    pub idle_timeout: Option<Duration>,
    pub access_log: Vec<AccessLog>,
}

pub(crate) fn tcp_proxy(parts: Bytes) -> TcpProxy {
    let cluster = match parts.clusters.as_slice() {
        [(cluster, _)] => ClusterSpecifier::Cluster(cluster.clone()),
        _ => ClusterSpecifier::WeightedClusters(WeightedCluster {
            clusters: parts
                .clusters
                .into_iter()
                // Envoy refuses a weight of zero, which means nothing anyway.
                .filter(|(_, weight)| *weight > 0)
                .map(|(name, weight)| ClusterWeight { name, weight, ..Default::default() })
                .collect(),
        }),
    };
    TcpProxy {
        stat_prefix: parts.stat_prefix,
        idle_timeout: parts.idle_timeout.map(duration),
        access_log: parts.access_log,
        cluster_specifier: Some(cluster),
        ..Default::default()
    }
}

/// For so long bytes are kept while the other side is dialled; then the caller waits.
const EARLY_BYTES: u32 = 64 << 10;

/// The same, but nobody is dialled before the caller has sent something: only then filters of connections decide, and
/// whoever speaks first would already have been heard (<https://github.com/envoyproxy/envoy/issues/9023>).
pub(crate) fn after_first_bytes(proxy: TcpProxy) -> TcpProxy {
    TcpProxy {
        upstream_connect_mode: UpstreamConnectMode::OnDownstreamData.into(),
        max_early_data_bytes: Some(EARLY_BYTES),
        ..proxy
    }
}
