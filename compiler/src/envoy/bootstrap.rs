//! The bootstrap: everything one Envoy starts from.

use std::net::IpAddr;
use std::time::Duration;

use envoy::config::bootstrap::v3::{
    Admin, Bootstrap, ClusterManager, LayeredRuntime, RuntimeLayer, Watchdog, Watchdogs,
    bootstrap::StaticResources,
    runtime_layer::{AdminLayer, LayerSpecifier},
};
use envoy::config::cluster::v3::Cluster;
use envoy::config::core::v3::{Locality, Node};
use envoy::config::metrics::v3::{StatsConfig, StatsSink};
use envoy::config::overload::v3::{OverloadManager, ResourceMonitor, resource_monitor};
use envoy::extensions::resource_monitors::downstream_connections::v3::DownstreamConnectionsConfig;
use prost_types::{Struct, Value, value::Kind};

use super::{duration, endpoint};

/// Connections from outside that one Envoy holds; further ones are refused instead of exhausting the task's memory
/// and files (Envoy's edge best practices).
const MAX_DOWNSTREAM_CONNECTIONS: i64 = 50_000;

/// Who an Envoy is.
pub(crate) struct Identity {
    pub id: String,
    pub cluster: String,
    pub region: Option<String>,
    pub zone: Option<String>,
}

/// What is told of an Envoy's work to others.
#[derive(Default)]
pub(crate) struct Telemetry {
    pub stats_sinks: Vec<StatsSink>,
    pub stats_config: Option<StatsConfig>,
    /// Rate limits count by keys, which are formatted.
    pub formats_rate_limit_keys: bool,
}

/// A bootstrap without resources, but for the clusters that Envoy must know from the beginning.
pub(crate) fn bootstrap(
    identity: &Identity,
    (host, port): (IpAddr, u16),
    telemetry: Telemetry,
    primary: Vec<Cluster>,
) -> Bootstrap {
    let (region, zone) = (identity.region.clone(), identity.zone.clone());
    let locality = (region.is_some() || zone.is_some()).then(|| Locality {
        region: region.unwrap_or_default(),
        zone: zone.unwrap_or_default(),
        ..Default::default()
    });
    let static_resources = (!primary.is_empty()).then(|| StaticResources { clusters: primary, ..Default::default() });
    Bootstrap {
        static_resources,
        node: Some(Node { id: identity.id.clone(), cluster: identity.cluster.clone(), locality, ..Default::default() }),
        admin: Some(Admin { address: Some(endpoint::address(host, port)), ..Default::default() }),
        stats_sinks: telemetry.stats_sinks,
        stats_config: telemetry.stats_config,
        layered_runtime: telemetry.formats_rate_limit_keys.then(formats_rate_limit_keys),
        watchdogs: Some(watchdogs()),
        overload_manager: Some(overload_manager()),
        ..Default::default()
    }
}

/// Lets Envoy compare how callers, in this cluster, and endpoints are spread over the zones. It must know the cluster
/// from its start.
pub(crate) fn compare_zones(bootstrap: &mut Bootstrap, callers: &Cluster) {
    let manager = bootstrap.cluster_manager.get_or_insert_with(ClusterManager::default);
    manager.local_cluster_name = callers.name.clone();
    bootstrap.static_resources.get_or_insert_default().clusters.push(callers.clone());
}

/// V8 gives guests no limit of work: a worker that hangs for a minute ends the process, so that it is started anew.
fn watchdogs() -> Watchdogs {
    let worker = Watchdog { kill_timeout: Some(duration(Duration::from_secs(60))), ..Default::default() };
    Watchdogs { worker_watchdog: Some(worker), ..Default::default() }
}

/// Envoy 1.40 formats the values of rate limit descriptors only when told to; else they are taken word for word. What
/// operators set at the administration has the last word, as it has where no layers are said.
fn formats_rate_limit_keys() -> LayeredRuntime {
    let key = "envoy.reloadable_features.enable_formatter_for_ratelimit_action_descriptor_value";
    let yes = Value { kind: Some(Kind::BoolValue(true)) };
    let layer = RuntimeLayer {
        name: "meshwright".to_owned(),
        layer_specifier: Some(LayerSpecifier::StaticLayer(Struct { fields: [(key.to_owned(), yes)].into() })),
    };
    let operators =
        RuntimeLayer { name: "admin".to_owned(), layer_specifier: Some(LayerSpecifier::AdminLayer(AdminLayer {})) };
    LayeredRuntime { layers: vec![layer, operators] }
}

fn overload_manager() -> OverloadManager {
    let connections = DownstreamConnectionsConfig { max_active_downstream_connections: MAX_DOWNSTREAM_CONNECTIONS };
    let monitor = ResourceMonitor {
        name: "envoy.resource_monitors.global_downstream_max_connections".to_owned(),
        config_type: Some(resource_monitor::ConfigType::TypedConfig(envoy::any(&connections))),
    };
    OverloadManager { resource_monitors: vec![monitor], ..Default::default() }
}
