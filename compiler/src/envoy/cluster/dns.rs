//! `envoy.clusters.dns`: endpoints that Envoy finds by DNS, as `STRICT_DNS` and `LOGICAL_DNS` did.

use std::time::Duration;

use envoy::config::cluster::v3::{
    Cluster,
    cluster::{ClusterDiscoveryType, CustomClusterType},
};
use envoy::config::endpoint::v3::ClusterLoadAssignment;
use envoy::extensions::clusters::common::dns::v3::DnsLookupFamily;
use envoy::extensions::clusters::dns::v3::DnsCluster;
use spec::mesh::{Dns, DnsMode, IpFamily};

use crate::envoy::duration;

const REFRESH: Duration = Duration::from_secs(5);

/// An answer's own time to live comes before `refresh`.
pub(super) fn apply(cluster: &mut Cluster, declared: &Dns, assignment: ClusterLoadAssignment) {
    let family = match declared.ip.as_ref().map_or(IpFamily::V4Only, |said| said.value) {
        IpFamily::V4Only => DnsLookupFamily::V4Only,
        IpFamily::V6Only => DnsLookupFamily::V6Only,
        IpFamily::V4Preferred => DnsLookupFamily::V4Preferred,
        // Envoy's word for asking for IPv6 first.
        IpFamily::V6Preferred => DnsLookupFamily::Auto,
    };
    let config = DnsCluster {
        dns_refresh_rate: Some(duration(declared.refresh.as_ref().map_or(REFRESH, |said| said.value))),
        respect_dns_ttl: true,
        dns_lookup_family: family.into(),
        all_addresses_in_single_endpoint: declared.mode.as_ref().is_some_and(|said| said.value == DnsMode::Logical),
        ..Default::default()
    };
    let kind = CustomClusterType { name: "envoy.cluster.dns".to_owned(), typed_config: Some(envoy::any(&config)) };
    cluster.cluster_discovery_type = Some(ClusterDiscoveryType::ClusterType(kind));
    cluster.load_assignment = Some(assignment);
}
