//! What the control plane counts, as Prometheus reads it.

use std::time::Duration;

use crate::status::Outcome;

/// Cheap to clone: clones count together.
#[derive(Clone, Debug, Default)]
pub struct Metrics {}

impl Metrics {
    /// The sources were read.
    pub fn reconciled(&self, outcome: Outcome, took: Duration) {
        let _ = (outcome, took);
    }

    /// Whether what is served is not what the sources say.
    pub fn stale(&self, stale: bool) {
        let _ = stale;
    }

    /// Whether a state waits for approval.
    pub fn held(&self, held: bool) {
        let _ = held;
    }

    /// Whether the last state was kept on disk.
    pub fn stored(&self, stored: bool) {
        let _ = stored;
    }

    /// In the text format of OpenMetrics.
    pub fn text(&self) -> String {
        String::new()
    }
}
