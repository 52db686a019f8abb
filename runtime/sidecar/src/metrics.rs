//! What is counted, for Prometheus.

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// Where a stream's responses come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelValue)]
pub(crate) enum Origin {
    ControlPlane,
    LastGood,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct From {
    pub from: Origin,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct OfType {
    pub r#type: &'static str,
}

#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    pub(crate) upstream_connected: Gauge,
    pub(crate) connect_failures: Counter,
    pub(crate) streams: Family<From, Counter>,
    pub(crate) acknowledged: Family<OfType, Counter>,
    pub(crate) refused: Family<OfType, Counter>,
    pub(crate) record_acknowledged: Gauge<f64, AtomicU64>,
    pub(crate) record_age: Gauge<f64, AtomicU64>,
    pub(crate) record_resources: Gauge,
    pub(crate) write_failures: Counter,
    pub(crate) mode: Family<Mode, Gauge>,
    pub(crate) restarts: Counter,
    pub(crate) reaped: Counter,
    pub(crate) draining: Gauge,
    pub(crate) ready: Gauge,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Mode {
    pub mode: &'static str,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix("meshwright_sidecar");
        let mut metrics = Self {
            registry: Registry::default(),
            upstream_connected: Gauge::default(),
            connect_failures: Counter::default(),
            streams: Family::default(),
            acknowledged: Family::default(),
            refused: Family::default(),
            record_acknowledged: Gauge::default(),
            record_age: Gauge::default(),
            record_resources: Gauge::default(),
            write_failures: Counter::default(),
            mode: Family::default(),
            restarts: Counter::default(),
            reaped: Counter::default(),
            draining: Gauge::default(),
            ready: Gauge::default(),
        };
        let m = &metrics;
        registry.register("upstream_connected", "Whether a control plane is connected", m.upstream_connected.clone());
        registry.register(
            "upstream_failures",
            "Control planes that could not be reached or did not answer",
            m.connect_failures.clone(),
        );
        registry.register("streams", "Streams of Envoy that were answered, by who answered", m.streams.clone());
        registry.register("mode", "Who tells Envoy what it is: 1 for one mode, 0 for the others", m.mode.clone());
        registry.register("acknowledged", "Responses that Envoy acknowledged, by type", m.acknowledged.clone());
        registry.register("refused", "Responses that Envoy refused, by type", m.refused.clone());
        registry.register(
            "last_good_timestamp_seconds",
            "When Envoy acknowledged the last good state; 0 for a bundle",
            m.record_acknowledged.clone(),
        );
        registry.register(
            "last_good_age_seconds",
            "How long ago Envoy acknowledged the last good state; 0 for a bundle",
            m.record_age.clone(),
        );
        registry.register("last_good_resources", "Resources of the last good state", m.record_resources.clone());
        registry.register(
            "last_good_write_failures",
            "Times that the last good state could not be written",
            m.write_failures.clone(),
        );
        registry.register("envoy_restarts", "Times that Envoy was started again after it died", m.restarts.clone());
        registry.register("reaped", "Processes that ended as orphans and were waited for", m.reaped.clone());
        registry.register("draining", "Whether Envoy is being drained", m.draining.clone());
        registry.register("ready", "Whether Envoy was ready when last asked", m.ready.clone());
        metrics.registry = registry;
        metrics
    }

    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        // A string takes everything.
        let _ = encode(&mut text, &self.registry);
        text
    }
}
