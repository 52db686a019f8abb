//! What discovery counts, as Prometheus reads it: `discovery_…`, under the prefix of whoever registers it.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Metric, Registry};

use crate::api::Kind;
use crate::run::status::Status;

type Labels<const N: usize> = [(&'static str, &'static str); N];

/// Cheap to clone: clones count together.
#[derive(Clone, Debug)]
pub struct Metrics(Arc<Counted>);

#[derive(Debug)]
struct Counted {
    calls: Family<Labels<2>, Counter>,
    reads: Family<Labels<1>, Counter>,
    seconds: Histogram,
    tasks: Family<Labels<1>, Gauge>,
    preserving: Gauge,
    failing: Gauge,
    credentials: Gauge,
    unread: Gauge,
    missing: Gauge,
    last: Gauge<f64, AtomicU64>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self(Arc::new(Counted {
            calls: Family::default(),
            reads: Family::default(),
            seconds: Histogram::new([0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0]),
            tasks: Family::default(),
            preserving: Gauge::default(),
            failing: Gauge::default(),
            credentials: Gauge::default(),
            unread: Gauge::default(),
            missing: Gauge::default(),
            last: Gauge::default(),
        }))
    }
}

impl Metrics {
    /// Adds them to a registry, whose prefix comes before their names: `meshwright_discovery_calls_total`.
    pub fn register(&self, registry: &mut Registry) {
        let all = &self.0;
        fn add(registry: &mut Registry, name: &str, help: &str, metric: impl Metric) {
            registry.register(format!("discovery_{name}"), help, metric);
        }
        let last = "When the last whole read ended, in seconds since 1970";
        add(registry, "calls", "Calls to AWS, attempts that failed included", all.calls.clone());
        add(registry, "reads", "Reads of everything, whole ones and abandoned ones", all.reads.clone());
        add(registry, "read_seconds", "How long whole reads took", all.seconds.clone());
        add(registry, "tasks", "Tasks that are known", all.tasks.clone());
        add(registry, "preserving", "Whether tasks are kept that vanished in a mass", all.preserving.clone());
        add(registry, "failing", "Whether the last read was abandoned", all.failing.clone());
        add(registry, "credentials_failing", "Whether it was for want of credentials", all.credentials.clone());
        add(registry, "unread_families", "Families with a task definition that cannot be read", all.unread.clone());
        add(registry, "missing_parts", "Parts that cannot be had, and stay as they were", all.missing.clone());
        add(registry, "last_read_timestamp_seconds", last, all.last.clone());
    }

    pub(crate) fn called(&self, action: &'static str, failed: Option<Kind>) {
        let result = failed.map_or("ok", Kind::name);
        self.0.calls.get_or_create(&[("action", action), ("result", result)]).inc();
    }

    pub(crate) fn read(&self, took: Option<Duration>) {
        let outcome = if took.is_some() { "whole" } else { "abandoned" };
        self.0.reads.get_or_create(&[("outcome", outcome)]).inc();
        if let Some(took) = took {
            self.0.seconds.observe(took.as_secs_f64());
        }
    }

    pub(crate) fn show(&self, status: &Status) {
        let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        for (state, tasks) in [("known", status.tasks), ("running", status.running), ("retained", status.retained)] {
            self.0.tasks.get_or_create(&[("state", state)]).set(count(tasks));
        }
        self.0.preserving.set(i64::from(status.preserving.is_some()));
        self.0.failing.set(i64::from(status.failing.is_some()));
        self.0.credentials.set(i64::from(status.failing.as_ref().is_some_and(|failing| failing.credentials)));
        self.0.unread.set(count(status.unread.len()));
        self.0.missing.set(count(status.missing.len()));
        self.0.last.set(status.last_read.map_or(0.0, |read| f64::from(u32::try_from(read.at).unwrap_or(u32::MAX))));
    }
}
