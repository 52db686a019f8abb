//! What is told of requests: logs, traces, metrics.

use std::net::IpAddr;

use ::envoy::config::accesslog::v3::AccessLog;
use ::envoy::config::core::v3::GrpcService;
use ::envoy::config::metrics::v3::StatsSink;
use ::envoy::extensions::filters::network::http_connection_manager::v3::http_connection_manager::Tracing;
use spec::mesh::{HostPort, PathMatch, SinkServer, TracingProvider};

use super::scope::Scope;
use super::{PROMETHEUS_PORT, Parts, cluster, rate_limit};
use crate::envoy::access_log::{self, Collector};
use crate::envoy::bootstrap::Telemetry;
use crate::envoy::listener::{HttpChain, Listener, Side, listener, plain};
use crate::envoy::route::{ClusterShare, Host, ToClusters, configuration, method_is, route};
use crate::envoy::tracing::{self, Provider};
use crate::envoy::{names, outside, stats};

/// The path of a Zipkin collector, unless the mesh says another.
const ZIPKIN_PATH: &str = "/api/v2/spans";

/// The port for Prometheus, and what the bootstrap says of metrics.
pub(super) fn lower(scope: &Scope<'_>, parts: &mut Parts) -> Telemetry {
    prometheus(scope, parts);
    // Collectors of logs are called by listeners that were made before.
    let log = scope.at().access_log.as_ref();
    if let Some(at) = log.and_then(|log| log.otlp.as_ref()) {
        grpc_collector(&at.value, parts);
    }
    let said = scope.at().stats.as_ref();
    let sinks = said.map_or(&[][..], |said| said.sinks.as_slice());
    let stats_sinks: Vec<StatsSink> = sinks
        .iter()
        .map(|sink| {
            let prefix = sink.prefix.as_ref().map(|prefix| prefix.value.as_str());
            match &sink.server.value {
                SinkServer::Statsd(at) => stats::statsd(at, prefix),
                SinkServer::DogStatsd(at) => stats::dog_statsd(at, prefix),
                SinkServer::Otlp(at) => stats::otlp(grpc_collector(at, parts), prefix),
            }
        })
        .collect();
    Telemetry {
        stats_sinks,
        stats_config: said.and_then(|said| stats::tags(&said.tags)),
        formats_rate_limit_keys: scope.shared.counts_by_keys(|| rate_limit::counts_by_keys(scope.mesh)),
    }
}

/// How the requests of this proxy are logged.
pub(super) fn access_log(scope: &Scope<'_>) -> Vec<AccessLog> {
    let said = scope.at().access_log.as_ref();
    let collector = said.and_then(|said| said.otlp.as_ref()).map(|at| Collector {
        service: outside::grpc_service(names::collector(&at.value), &at.value),
        service_name: scope.mesh.proxy_name(scope.proxy).to_string(),
    });
    access_log::access_logs(said, collector)
}

/// How the requests of this proxy are traced; the collector is added to the parts.
pub(super) fn tracing(scope: &Scope<'_>, parts: &mut Parts) -> Option<Tracing> {
    let said = scope.at().tracing.as_ref()?;
    // Without an address a rule has refused it.
    let at = &said.address.as_ref()?.value;
    let provider = match said.provider.value {
        TracingProvider::Off => return None,
        TracingProvider::Otlp => Provider::Otlp(Box::new(grpc_collector(at, parts))),
        TracingProvider::Zipkin => {
            let path = said.path.as_ref().map_or(ZIPKIN_PATH, |path| path.value.as_str());
            Provider::Zipkin { cluster: http_collector(at, parts), at, path }
        }
        TracingProvider::Xray => Provider::Xray { daemon: at },
        TracingProvider::Datadog => Provider::Datadog { cluster: http_collector(at, parts), at },
    };
    Some(tracing::tracing(said, &span_service(scope), provider))
}

/// What the spans of this proxy say they are of.
pub(super) fn span_service(scope: &Scope<'_>) -> String {
    let said = scope.at().tracing.as_ref().and_then(|said| said.service_name.as_ref());
    said.map_or_else(|| scope.mesh.proxy_name(scope.proxy).to_string(), |name| name.value.clone())
}

/// Collectors are part of the bootstrap: whatever names them later finds them.
fn grpc_collector(at: &HostPort, parts: &mut Parts) -> GrpcService {
    let name = names::collector(at);
    parts.primary(outside::with_http2(outside::plain_to(name.clone(), at)));
    outside::grpc_service(name, at)
}

fn http_collector(at: &HostPort, parts: &mut Parts) -> String {
    let name = names::http_collector(at);
    parts.primary(outside::plain_to(name.clone(), at));
    name
}

/// `/stats/prometheus` on its own port, and nothing else of Envoy's administration.
fn prometheus(scope: &Scope<'_>, parts: &mut Parts) {
    let share = ClusterShare::new(names::PROMETHEUS_CLUSTER);
    let action = ToClusters { clusters: vec![share], timeout: None, retry: None };
    let scrape = route(&PathMatch::Exact("/stats/prometheus".to_owned()), vec![method_is("GET")], action);
    let host = Host::new("prometheus".to_owned(), vec!["*".to_owned()], vec![scrape]);
    parts.routes(configuration(names::PROMETHEUS_ROUTES, vec![host]));
    cluster::administration(scope, parts);
    let said = scope.at().stats.as_ref().and_then(|stats| stats.prometheus.as_ref());
    let port = said.map_or(PROMETHEUS_PORT, |said| said.port.value);
    let host: IpAddr = said.and_then(|said| said.bind.as_ref()).map_or_else(|| scope.public(), |bind| bind.value);
    let chain = HttpChain {
        routes: names::PROMETHEUS_ROUTES.to_owned(),
        filters: Vec::new(),
        access_log: Vec::new(),
        tracing: None,
    };
    parts.listener(listener(Listener {
        name: names::PROMETHEUS_LISTENER.to_owned(),
        host,
        port,
        side: Side::Scrape,
        chains: vec![plain(chain)],
    }));
}
