//! What is told of requests: logs, traces, metrics.

use ::envoy::config::accesslog::v3::AccessLog;
use ::envoy::extensions::filters::network::http_connection_manager::v3::http_connection_manager::Tracing;
use spec::mesh::{AccessLogFormat, PathMatch};

use super::scope::Scope;
use super::{PROMETHEUS_PORT, Parts, cluster};
use crate::envoy::access_log;
use crate::envoy::bootstrap::Telemetry;
use crate::envoy::listener::{HttpChain, Listener, Side, listener, plain};
use crate::envoy::names;
use crate::envoy::route::{ClusterShare, Host, ToClusters, configuration, method_is, route};

/// The port for Prometheus, and what the bootstrap says of metrics.
pub(super) fn lower(scope: &Scope<'_>, parts: &mut Parts) -> Telemetry {
    prometheus(scope, parts);
    Telemetry::default()
}

/// How the requests of this proxy are logged.
pub(super) fn access_log(scope: &Scope<'_>) -> Vec<AccessLog> {
    match scope.at().access_log.as_ref().map(|log| log.format.value) {
        Some(AccessLogFormat::Off) => Vec::new(),
        Some(AccessLogFormat::Json | AccessLogFormat::Text) | None => vec![access_log::json()],
    }
}

/// How the requests of this proxy are traced; the collector is added to the parts.
pub(super) fn tracing(_scope: &Scope<'_>, _parts: &mut Parts) -> Option<Tracing> {
    None
}

/// `/stats/prometheus` on its own port, and nothing else of Envoy's administration.
fn prometheus(scope: &Scope<'_>, parts: &mut Parts) {
    let share = ClusterShare::new(names::PROMETHEUS_CLUSTER);
    let action = ToClusters { clusters: vec![share], timeout: None, retry: None };
    let scrape = route(&PathMatch::Exact("/stats/prometheus".to_owned()), vec![method_is("GET")], action);
    let host = Host::new("prometheus".to_owned(), vec!["*".to_owned()], vec![scrape]);
    parts.routes(configuration(names::PROMETHEUS_ROUTES, vec![host]));
    cluster::administration(scope, parts);
    let chain = HttpChain {
        routes: names::PROMETHEUS_ROUTES.to_owned(),
        filters: Vec::new(),
        access_log: Vec::new(),
        tracing: None,
    };
    parts.listener(listener(Listener {
        name: names::PROMETHEUS_LISTENER.to_owned(),
        host: scope.public(),
        port: PROMETHEUS_PORT,
        side: Side::Scrape,
        chains: vec![plain(chain)],
    }));
}
