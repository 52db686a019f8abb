//! What the control plane counts, as Prometheus reads it.

use std::fmt;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use compiler::snapshot::ResourceKind;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry as Registered;

use crate::status::Outcome;
use crate::stream::Variant;

/// Cheap to clone: clones count together.
#[derive(Clone)]
pub struct Metrics {
    counted: Arc<Counted>,
    registered: Arc<Mutex<Registered>>,
}

type Label = [(&'static str, &'static str); 1];
type Labels = Family<Label, Counter>;
type Seconds = Gauge<f64, AtomicU64>;

#[derive(Debug)]
struct Counted {
    streams: Family<Label, Gauge>,
    connections: Gauge,
    opened: Labels,
    refused: Labels,
    waited: Counter,
    ended: Labels,
    panics: Counter,
    pushes: Labels,
    push_bytes: Labels,
    acknowledged: Labels,
    not_acknowledged: Labels,
    convergence: Histogram,
    unsettled: Gauge,
    unsettled_age: Seconds,
    refusing: Gauge,
    unknown: Gauge,
    publications: Counter,
    snapshot: Family<[(&'static str, String); 1], Gauge>,
    stale: Gauge,
    held: Gauge,
    reconciled: Labels,
    reconcile_seconds: Histogram,
    store_failing: Gauge,
    certificate_reloads: Labels,
}

impl Metrics {
    /// The sources were read.
    pub fn reconciled(&self, outcome: Outcome, took: Duration) {
        self.counted.reconciled.get_or_create(&[("outcome", outcome.name())]).inc();
        self.counted.reconcile_seconds.observe(took.as_secs_f64());
    }

    /// Whether what is served is not what the sources say.
    pub fn stale(&self, stale: bool) {
        self.counted.stale.set(i64::from(stale));
    }

    /// Whether a state waits for approval.
    pub fn held(&self, held: bool) {
        self.counted.held.set(i64::from(held));
    }

    /// Whether the last state was kept on disk.
    pub fn stored(&self, stored: bool) {
        self.counted.store_failing.set(i64::from(!stored));
    }

    /// Adds metrics of somebody else, whose names begin with `meshwright_`.
    pub fn register(&self, add: impl FnOnce(&mut Registered)) {
        add(&mut self.registered.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// In the text format of OpenMetrics.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let registered = self.registered.lock().unwrap_or_else(PoisonError::into_inner);
        // Writing to a string cannot fail.
        let _ = encode(&mut text, &registered);
        text
    }

    pub(crate) fn published(&self, digest: &str) {
        self.counted.publications.inc();
        self.counted.snapshot.clear();
        self.counted.snapshot.get_or_create(&[("digest", digest.to_owned())]).set(1);
    }

    pub(crate) fn connected(&self) {
        self.counted.connections.inc();
    }

    pub(crate) fn disconnected(&self) {
        self.counted.connections.dec();
    }

    pub(crate) fn opened(&self, variant: Variant) {
        self.counted.opened.get_or_create(&of(variant)).inc();
        self.counted.streams.get_or_create(&of(variant)).inc();
    }

    pub(crate) fn closed(&self, variant: Variant) {
        self.counted.streams.get_or_create(&of(variant)).dec();
    }

    /// A stream ended, for a reason that is one of a few.
    pub(crate) fn ended(&self, reason: &'static str) {
        self.counted.ended.get_or_create(&[("reason", reason)]).inc();
    }

    /// A stream or a connection was not let in.
    pub(crate) fn refused(&self, reason: &'static str) {
        self.counted.refused.get_or_create(&[("reason", reason)]).inc();
    }

    /// A new stream had to wait for its turn.
    pub(crate) fn waited(&self) {
        self.counted.waited.inc();
    }

    pub(crate) fn panicked(&self) {
        self.counted.panics.inc();
    }

    pub(crate) fn sent(&self, kind: Option<ResourceKind>, bytes: usize) {
        let label = [("type", kind.map_or("other", ResourceKind::short_name))];
        self.counted.pushes.get_or_create(&label).inc();
        self.counted.push_bytes.get_or_create(&label).inc_by(bytes as u64);
    }

    pub(crate) fn acknowledged(&self, kind: ResourceKind) {
        self.counted.acknowledged.get_or_create(&[("type", kind.short_name())]).inc();
    }

    pub(crate) fn not_acknowledged(&self, kind: ResourceKind) {
        self.counted.not_acknowledged.get_or_create(&[("type", kind.short_name())]).inc();
    }

    pub(crate) fn converged(&self, took: Duration) {
        self.counted.convergence.observe(took.as_secs_f64());
    }

    pub(crate) fn unsettled(&self, streams: usize, oldest: Duration) {
        set(&self.counted.unsettled, streams);
        self.counted.unsettled_age.set(oldest.as_secs_f64());
    }

    pub(crate) fn refusing(&self, streams: usize) {
        set(&self.counted.refusing, streams);
    }

    pub(crate) fn unknown(&self, streams: usize) {
        set(&self.counted.unknown, streams);
    }

    pub(crate) fn certificates_read(&self, outcome: &'static str) {
        self.counted.certificate_reloads.get_or_create(&[("outcome", outcome)]).inc();
    }
}

impl Default for Metrics {
    fn default() -> Self {
        let counted = Counted::new();
        let mut registered = Registered::with_prefix("meshwright");
        counted.register(registered.sub_registry_with_prefix("control_plane"));
        // Series that alarms are made of exist from the beginning.
        for outcome in Outcome::ALL {
            let _ = counted.reconciled.get_or_create(&[("outcome", outcome.name())]);
        }
        for kind in ResourceKind::ALL {
            for family in [&counted.pushes, &counted.acknowledged, &counted.not_acknowledged] {
                let _ = family.get_or_create(&[("type", kind.short_name())]);
            }
        }
        for variant in [Variant::StateOfTheWorld, Variant::Delta] {
            let _ = counted.streams.get_or_create(&of(variant));
        }
        Self { counted: Arc::new(counted), registered: Arc::new(Mutex::new(registered)) }
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Counted {
    fn new() -> Self {
        let seconds = || [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 15.0, 60.0];
        Self {
            streams: Family::default(),
            connections: Gauge::default(),
            opened: Family::default(),
            refused: Family::default(),
            waited: Counter::default(),
            ended: Family::default(),
            panics: Counter::default(),
            pushes: Family::default(),
            push_bytes: Family::default(),
            acknowledged: Family::default(),
            not_acknowledged: Family::default(),
            convergence: Histogram::new(seconds()),
            unsettled: Gauge::default(),
            unsettled_age: Seconds::default(),
            refusing: Gauge::default(),
            unknown: Gauge::default(),
            publications: Counter::default(),
            snapshot: Family::default(),
            stale: Gauge::default(),
            held: Gauge::default(),
            reconciled: Family::default(),
            reconcile_seconds: Histogram::new(seconds()),
            store_failing: Gauge::default(),
            certificate_reloads: Family::default(),
        }
    }

    fn register(&self, to: &mut Registered) {
        to.register("streams", "ADS streams that are open", self.streams.clone());
        to.register("connections", "Connections that are open", self.connections.clone());
        to.register("streams_opened", "ADS streams that were let in", self.opened.clone());
        to.register("streams_refused", "ADS streams and connections that were not let in", self.refused.clone());
        to.register("streams_waited", "New ADS streams that had to wait for their turn", self.waited.clone());
        to.register("streams_ended", "ADS streams that ended", self.ended.clone());
        to.register("panics", "Streams that ended because of a fault of the control plane", self.panics.clone());
        to.register("pushes", "Responses sent", self.pushes.clone());
        to.register("push_bytes", "Bytes of responses sent", self.push_bytes.clone());
        to.register("acknowledged", "Responses that clients accepted", self.acknowledged.clone());
        to.register("refusals", "Responses that clients did not accept", self.not_acknowledged.clone());
        let help = "From a publication until a stream has accepted all of it";
        to.register("convergence_seconds", help, self.convergence.clone());
        to.register("unsettled_streams", "Streams that do not have the newest state yet", self.unsettled.clone());
        let help = "For how long the first of them has not had the newest state";
        to.register("unsettled_seconds", help, self.unsettled_age.clone());
        let help = "Streams that refused something and do not have the newest state since";
        to.register("refusing_streams", help, self.refusing.clone());
        to.register("unknown_streams", "Streams of proxies that are not in the mesh", self.unknown.clone());
        to.register("publications", "States that were published", self.publications.clone());
        to.register("snapshot_info", "The state that is served", self.snapshot.clone());
        to.register("stale", "1 if what is served is not what the sources say now", self.stale.clone());
        to.register("held", "1 if a state waits for approval", self.held.clone());
        to.register("reconciles", "How often the sources were read", self.reconciled.clone());
        let help = "From a change of the sources to its end";
        to.register("reconcile_seconds", help, self.reconcile_seconds.clone());
        to.register("store_failing", "1 if the last state could not be kept on disk", self.store_failing.clone());
        to.register("certificate_reloads", "Certificates read again", self.certificate_reloads.clone());
    }
}

fn set(gauge: &Gauge, count: usize) {
    gauge.set(i64::try_from(count).unwrap_or(i64::MAX));
}

fn of(variant: Variant) -> Label {
    [("variant", variant_name(variant))]
}

pub(crate) fn variant_name(variant: Variant) -> &'static str {
    match variant {
        Variant::StateOfTheWorld => "sotw",
        Variant::Delta => "delta",
    }
}
