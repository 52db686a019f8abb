//! Metrics: who gets them, and what stands on each.

use envoy::config::core::v3::{
    Address, GrpcService, SocketAddress, address, socket_address, socket_address::PortSpecifier,
};
use envoy::config::metrics::v3::{
    DogStatsdSink, StatsConfig, StatsSink, StatsdSink, TagSpecifier, dog_statsd_sink::DogStatsdSpecifier,
    stats_sink::ConfigType, statsd_sink::StatsdSpecifier, tag_specifier::TagValue,
};
use envoy::extensions::stat_sinks::open_telemetry::v3::{SinkConfig, sink_config::ProtocolSpecifier};
use spec::mesh::{Entry, HostPort};

pub(crate) fn statsd(at: &HostPort, prefix: Option<&str>) -> StatsSink {
    let sink = StatsdSink {
        prefix: prefix.unwrap_or_default().to_owned(),
        statsd_specifier: Some(StatsdSpecifier::Address(datagrams(at))),
        ..Default::default()
    };
    named("envoy.stat_sinks.statsd", &sink)
}

pub(crate) fn dog_statsd(at: &HostPort, prefix: Option<&str>) -> StatsSink {
    let sink = DogStatsdSink {
        prefix: prefix.unwrap_or_default().to_owned(),
        dog_statsd_specifier: Some(DogStatsdSpecifier::Address(datagrams(at))),
        ..Default::default()
    };
    named("envoy.stat_sinks.dog_statsd", &sink)
}

pub(crate) fn otlp(service: GrpcService, prefix: Option<&str>) -> StatsSink {
    let sink = SinkConfig {
        prefix: prefix.unwrap_or_default().to_owned(),
        protocol_specifier: Some(ProtocolSpecifier::GrpcService(service)),
        ..Default::default()
    };
    named("envoy.stat_sinks.open_telemetry", &sink)
}

/// What stands on every metric beside Envoy's own tags.
pub(crate) fn tags(tags: &[Entry]) -> Option<StatsConfig> {
    let fixed = |tag: &Entry| TagSpecifier {
        tag_name: tag.key.value.clone(),
        tag_value: Some(TagValue::FixedValue(tag.value.value.clone())),
    };
    let mut stats_tags: Vec<TagSpecifier> = tags.iter().map(fixed).collect();
    stats_tags.sort_by(|one, other| one.tag_name.cmp(&other.tag_name));
    (!tags.is_empty()).then(|| StatsConfig { stats_tags, ..Default::default() })
}

fn named<M: prost::Name>(name: &str, sink: &M) -> StatsSink {
    StatsSink { name: name.to_owned(), config_type: Some(ConfigType::TypedConfig(envoy::any(sink))) }
}

fn datagrams(at: &HostPort) -> Address {
    Address {
        address: Some(address::Address::SocketAddress(SocketAddress {
            protocol: socket_address::Protocol::Udp.into(),
            address: at.host.clone(),
            port_specifier: Some(PortSpecifier::PortValue(u32::from(at.port))),
            ..Default::default()
        })),
    }
}
