//! Metrics: `/stats/prometheus` on its own port, and nothing else of Envoy's administration.

use std::net::{IpAddr, SocketAddr};

use spec::mesh::{AccessLogFormat, PathMatch};

use super::{PROMETHEUS_PORT, Parts};
use crate::WasmModule;
use crate::envoy::cluster::{StaticCluster, static_cluster};
use crate::envoy::endpoint::WeightedAddress;
use crate::envoy::listener::{HttpListener, Side, http_listener};
use crate::envoy::names;
use crate::envoy::route::{ClusterShare, Host, ToClusters, configuration, method_is, route};

/// `admin` is where this Envoy's administration listens.
pub(super) fn prometheus(public: IpAddr, admin: (IpAddr, u16), module: &WasmModule) -> Parts {
    let share = ClusterShare { cluster: names::PROMETHEUS_CLUSTER.to_owned(), weight: 1, rewrite_host: None };
    let action = ToClusters { clusters: vec![share], timeout: None, retry: None };
    let scrape = route(&PathMatch::Exact("/stats/prometheus".to_owned()), vec![method_is("GET")], action);
    let host = Host { name: "prometheus".to_owned(), domains: vec!["*".to_owned()], routes: vec![scrape] };
    let listener = HttpListener {
        name: names::PROMETHEUS_LISTENER.to_owned(),
        host: public,
        port: PROMETHEUS_PORT,
        side: Side::Scrape,
        routes: configuration(names::PROMETHEUS_ROUTES, vec![host]),
        filters: Vec::new(),
        access_log: AccessLogFormat::Off,
    };
    let (host, port) = admin;
    let cluster = static_cluster(StaticCluster {
        name: names::PROMETHEUS_CLUSTER.to_owned(),
        endpoints: vec![WeightedAddress { address: SocketAddr::new(host, port), weight: 1, health_check_port: None }],
        circuit_breaker: None,
        health_check: None,
    });
    Parts { listeners: vec![http_listener(listener, module)], clusters: vec![cluster] }
}
