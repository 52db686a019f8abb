//! `CircuitBreakers`: what one Envoy has open towards a cluster.

use envoy::config::cluster::v3::{
    CircuitBreakers,
    circuit_breakers::{Thresholds, thresholds},
};
use envoy::r#type::v3::Percent;

/// Bounds of the default priority, the only one that routes use; what is absent has Envoy's default.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Limits {
    pub max_connections: Option<u32>,
    pub max_pending_requests: Option<u32>,
    pub max_requests: Option<u32>,
    pub max_retries: Option<u32>,
    /// Envoy looks at it in place of `max_retries`.
    pub budget: Option<Budget>,
}

/// How many retries there may be, of the requests under way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Budget {
    pub percent: f64,
    pub min_concurrency: u32,
}

impl Limits {
    /// `None` where Envoy's defaults hold.
    pub(super) fn message(self) -> Option<CircuitBreakers> {
        if self == Self::default() {
            return None;
        }
        let budget = self.budget.map(|budget| thresholds::RetryBudget {
            budget_percent: Some(Percent { value: budget.percent }),
            min_retry_concurrency: Some(budget.min_concurrency),
            ..Default::default()
        });
        let thresholds = Thresholds {
            max_connections: self.max_connections,
            max_pending_requests: self.max_pending_requests,
            max_requests: self.max_requests,
            max_retries: self.max_retries,
            retry_budget: budget,
            ..Default::default()
        };
        Some(CircuitBreakers { thresholds: vec![thresholds], ..Default::default() })
    }
}
