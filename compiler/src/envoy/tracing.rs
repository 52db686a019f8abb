//! Tracing: which requests have spans, and who gets them.

use envoy::config::core::v3::{DataSource, GrpcService, SocketAddress, data_source, socket_address};
use envoy::config::trace::v3::{
    DatadogConfig, OpenTelemetryConfig, XRayConfig, ZipkinConfig,
    tracing::{Http, http::ConfigType},
    zipkin_config::CollectorEndpointVersion,
};
use envoy::extensions::filters::network::http_connection_manager::v3::http_connection_manager::Tracing;
use envoy::r#type::tracing::v3::{CustomTag, custom_tag};
use envoy::r#type::v3::Percent as Message;
use prost_types::Any;
use spec::mesh::{self, HostPort};
use spec::units::Percent;

/// Who gets spans.
pub(crate) enum Provider<'a> {
    Otlp(Box<GrpcService>),
    Zipkin { cluster: String, at: &'a HostPort, path: &'a str },
    Xray { daemon: &'a HostPort },
    Datadog { cluster: String, at: &'a HostPort },
}

/// What a connection manager says of spans. The mesh decides which requests have one, unless the caller's trace does.
pub(crate) fn tracing(said: &mesh::Tracing, service_name: &str, provider: Provider<'_>) -> Tracing {
    let percent = said.percent.as_ref().map_or(Percent::ALL, |percent| percent.value);
    // X-Ray's tracer decides for itself.
    let random = if let Provider::Xray { .. } = provider { Percent::ALL } else { percent };
    let (name, config) = config(provider, service_name, percent);
    let literal = |tag: &mesh::Entry| CustomTag {
        tag: tag.key.value.clone(),
        r#type: Some(custom_tag::Type::Literal(custom_tag::Literal { value: tag.value.value.clone() })),
        ..Default::default()
    };
    Tracing {
        random_sampling: Some(Message { value: f64::from(random.per_million()) / 10_000.0 }),
        custom_tags: said.tags.iter().map(literal).collect(),
        provider: Some(Http { name: name.to_owned(), config_type: Some(ConfigType::TypedConfig(config)) }),
        ..Default::default()
    }
}

fn config(provider: Provider<'_>, service_name: &str, percent: Percent) -> (&'static str, Any) {
    match provider {
        Provider::Otlp(service) => {
            let config = OpenTelemetryConfig {
                grpc_service: Some(*service),
                service_name: service_name.to_owned(),
                ..Default::default()
            };
            ("envoy.tracers.opentelemetry", envoy::any(&config))
        }
        Provider::Zipkin { cluster, at, path } => {
            let config = ZipkinConfig {
                collector_cluster: cluster,
                collector_endpoint: path.to_owned(),
                collector_endpoint_version: CollectorEndpointVersion::HttpJson.into(),
                collector_hostname: at.to_string(),
                trace_id_128bit: true,
                ..Default::default()
            };
            ("envoy.tracers.zipkin", envoy::any(&config))
        }
        Provider::Xray { daemon } => {
            // Envoy puts `:PORT` behind it and reads the whole: without brackets an IPv6 address crashes it.
            let host = if daemon.host.contains(':') { format!("[{}]", daemon.host) } else { daemon.host.clone() };
            let address = SocketAddress {
                protocol: socket_address::Protocol::Udp.into(),
                address: host,
                port_specifier: Some(socket_address::PortSpecifier::PortValue(u32::from(daemon.port))),
                ..Default::default()
            };
            let manifest = DataSource {
                specifier: Some(data_source::Specifier::InlineString(sampling(percent))),
                ..Default::default()
            };
            let config = XRayConfig {
                daemon_endpoint: Some(address),
                segment_name: service_name.to_owned(),
                sampling_rule_manifest: Some(manifest),
                ..Default::default()
            };
            ("envoy.tracers.xray", envoy::any(&config))
        }
        Provider::Datadog { cluster, at } => {
            let config = DatadogConfig {
                collector_cluster: cluster,
                service_name: service_name.to_owned(),
                collector_hostname: at.host.clone(),
                ..Default::default()
            };
            ("envoy.tracers.datadog", envoy::any(&config))
        }
    }
}

/// X-Ray's own form of a share: without it, one request a second and five per cent of the rest.
fn sampling(percent: Percent) -> String {
    let millionths = percent.per_million();
    let (whole, rest) = (millionths / 1_000_000, millionths % 1_000_000);
    format!(r#"{{"version": 2, "default": {{"fixed_target": 0, "rate": {whole}.{rest:06}}}, "rules": []}}"#)
}
