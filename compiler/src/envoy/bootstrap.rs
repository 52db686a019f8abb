//! The bootstrap: everything one Envoy starts from.

use std::net::IpAddr;
use std::time::Duration;

use envoy::config::bootstrap::v3::{Admin, Bootstrap, Watchdog, Watchdogs, bootstrap::StaticResources};
use envoy::config::cluster::v3::Cluster;
use envoy::config::core::v3::Node;
use envoy::config::listener::v3::Listener;
use envoy::config::overload::v3::{OverloadManager, ResourceMonitor, resource_monitor};
use envoy::extensions::resource_monitors::downstream_connections::v3::DownstreamConnectionsConfig;

use super::{duration, endpoint};

/// Connections from outside that one Envoy holds; further ones are refused instead of exhausting the task's memory
/// and files (Envoy's edge best practices).
const MAX_DOWNSTREAM_CONNECTIONS: i64 = 50_000;

/// What a bootstrap is made of.
pub(crate) struct Static {
    pub id: String,
    pub cluster: String,
    pub admin: (IpAddr, u16),
    pub listeners: Vec<Listener>,
    pub clusters: Vec<Cluster>,
}

pub(crate) fn static_bootstrap(parts: Static) -> Bootstrap {
    let (host, port) = parts.admin;
    Bootstrap {
        node: Some(Node { id: parts.id, cluster: parts.cluster, ..Default::default() }),
        static_resources: Some(StaticResources {
            listeners: parts.listeners,
            clusters: parts.clusters,
            ..Default::default()
        }),
        admin: Some(Admin { address: Some(endpoint::address(host, port)), ..Default::default() }),
        watchdogs: Some(watchdogs()),
        overload_manager: Some(overload_manager()),
        ..Default::default()
    }
}

/// V8 gives guests no limit of work: a worker that hangs for a minute ends the process, so that it is started anew.
fn watchdogs() -> Watchdogs {
    let worker = Watchdog { kill_timeout: Some(duration(Duration::from_secs(60))), ..Default::default() };
    Watchdogs { worker_watchdog: Some(worker), ..Default::default() }
}

fn overload_manager() -> OverloadManager {
    let connections = DownstreamConnectionsConfig { max_active_downstream_connections: MAX_DOWNSTREAM_CONNECTIONS };
    let monitor = ResourceMonitor {
        name: "envoy.resource_monitors.global_downstream_max_connections".to_owned(),
        config_type: Some(resource_monitor::ConfigType::TypedConfig(envoy::any(&connections))),
    };
    OverloadManager { resource_monitors: vec![monitor], ..Default::default() }
}
