//! Deliberate failures.

use policy::{FaultAbort, FaultConfig, FaultDelay, FaultRule};

use super::policies::{Chain, Policies};
use super::scope::Scope;

/// What Envoy's own filter does; the rest is gathered by [`ours`].
pub(super) fn lower(_scope: &Scope<'_>, _policies: &Policies<'_>, _chain: &mut Chain) {}

/// Our filter for all that ask for faults, one rule each.
pub(super) fn ours(scope: &Scope<'_>, all: &[Policies<'_>], chain: &mut Chain) {
    let rules: Vec<FaultRule> = all
        .iter()
        .filter_map(|policies| {
            let fault = policies.fault?;
            Some(FaultRule {
                hosts: policies.hosts.clone(),
                exempt_paths: policies.exempt_paths(),
                delay: fault.delay.map(|(duration, percent)| FaultDelay {
                    millis: u32::try_from(duration.as_millis()).unwrap_or(u32::MAX),
                    per_million: percent.per_million(),
                }),
                abort: fault.abort.map(|(status, percent)| FaultAbort { status, per_million: percent.per_million() }),
            })
        })
        .collect();
    if !rules.is_empty() {
        chain.add_for_all(Some(crate::envoy::http_filter::wasm::fault(&FaultConfig { rules }, scope.module)));
    }
}
