//! What is told of requests: logs, traces, metrics.

use super::{Entry, HostPort, Place};
use crate::block::{Block, Choice, Word};
use crate::source::Spanned;
use crate::units::Percent;
use crate::value::{http, network, number, text};

/// How requests are logged.
#[derive(Clone, Debug, PartialEq, Block)]
#[block(what = "an access log", line)]
pub struct AccessLog {
    /// The form of an entry.
    #[field(main)]
    pub format: Spanned<AccessLogFormat>,
    /// Where entries go.
    #[field(value = text::SIDECAR_FILE, default = "/dev/stdout")]
    pub path: Option<Spanned<String>>,
    /// The entry's line, for `text`: Envoy's format string.
    #[field(value = text::PROSE)]
    pub line: Option<Spanned<String>>,
    /// The entry's keys, for `json`: each an Envoy format string. They replace the usual ones.
    #[field(entries)]
    pub fields: Vec<Entry>,
    /// Only responses with this status or a higher one.
    #[field(value = http::STATUS)]
    pub min_status: Option<Spanned<u16>>,
    /// The share of requests that is logged.
    #[field(value = number::PERCENT, default = "100")]
    pub percent: Option<Spanned<Percent>>,
    /// A collector that gets entries over gRPC (OTLP).
    pub otlp: Option<Spanned<HostPort>>,
}

/// The form of a log entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Word)]
#[block(what = "`json` or `off`")]
pub enum AccessLogFormat {
    /// One JSON object a request.
    Json,
    /// One line a request.
    Text,
    /// Nothing is logged.
    Off,
}

/// How requests are traced.
#[derive(Clone, Debug, PartialEq, Block)]
#[block(what = "tracing", line)]
pub struct Tracing {
    /// The protocol of the collector.
    #[field(main)]
    pub provider: Spanned<TracingProvider>,
    /// The collector.
    pub address: Option<Spanned<HostPort>>,
    /// The path of the collector, for Zipkin.
    #[field(value = http::PATH, default = "/api/v2/spans")]
    pub path: Option<Spanned<String>>,
    /// The share of requests that is traced.
    #[field(value = number::PERCENT, default = "100")]
    pub percent: Option<Spanned<Percent>>,
    /// What the spans say they are of.
    #[field(default = "the node's name")]
    pub service_name: Option<Spanned<String>>,
    /// Tags on every span.
    #[field(entries)]
    pub tags: Vec<Entry>,
}

/// The protocol of a collector of traces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Word)]
pub enum TracingProvider {
    /// OpenTelemetry over gRPC.
    Otlp,
    /// Zipkin, JSON over HTTP.
    Zipkin,
    /// AWS X-Ray, through its daemon.
    Xray,
    /// Datadog's agent.
    Datadog,
    /// Nothing is traced.
    Off,
}

/// Where metrics go.
#[derive(Clone, Debug, Default, PartialEq, Block)]
#[block(what = "a metrics block", not_empty)]
pub struct Stats {
    /// A port where Prometheus fetches them.
    pub prometheus: Option<Prometheus>,
    /// Servers that they are sent to.
    #[field(key = "sink")]
    pub sinks: Vec<StatsSink>,
    /// Tags on every metric.
    #[field(entries)]
    pub tags: Vec<Entry>,
    #[field(place)]
    pub place: Place,
}

/// A port where Prometheus fetches metrics, under `/stats/prometheus`.
#[derive(Clone, Debug, PartialEq, Block)]
#[block(what = "a port for Prometheus", line)]
pub struct Prometheus {
    /// The port.
    #[field(main, value = network::PORT)]
    pub port: Spanned<u16>,
    /// Where it binds.
    #[field(default = "0.0.0.0")]
    pub bind: Option<Spanned<std::net::IpAddr>>,
}

/// A server that metrics are sent to.
#[derive(Clone, Debug, PartialEq, Block)]
#[block(what = "a metrics sink", line)]
pub struct StatsSink {
    /// Its protocol and address.
    #[field(one_of)]
    pub server: Spanned<SinkServer>,
    /// What stands before every name.
    #[field(value = text::LABEL)]
    pub prefix: Option<Spanned<String>>,
}

/// A server that metrics are sent to.
#[derive(Clone, Debug, PartialEq, Eq, Choice)]
#[block(what = "a server")]
pub enum SinkServer {
    /// statsd, over UDP.
    Statsd(HostPort),
    /// DogStatsD, over UDP: tags are kept.
    DogStatsd(HostPort),
    /// OpenTelemetry, over gRPC.
    Otlp(HostPort),
}
