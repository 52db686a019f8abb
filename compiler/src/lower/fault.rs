//! Deliberate failures: our filter where it can make them, else Envoy's.

use policy::fault::Status;
use policy::{FaultAbort, FaultConfig, FaultDelay, FaultRule};
use spec::mesh::Engine;

use super::policies::{Chain, Policies};
use super::scope::Scope;
use crate::checked::Fault;
use crate::envoy::http_filter;

/// What Envoy's own filter does; the rest is gathered by [`ours`].
pub(super) fn lower(_scope: &Scope<'_>, policies: &Policies<'_>, chain: &mut Chain) {
    let Some(fault) = policies.fault.filter(|fault| engine(fault) == Engine::Native) else { return };
    let spares_health_checks = policies.health_check.is_some();
    let native = http_filter::fault::native(fault, spares_health_checks);
    chain.add_configured(policies, http_filter::fault::sound(), ::envoy::any(&native));
}

/// Our filter for all that ask for faults, one rule each.
pub(super) fn ours(scope: &Scope<'_>, all: &[Policies<'_>], chain: &mut Chain) {
    let rules: Vec<FaultRule> = all
        .iter()
        .filter_map(|policies| {
            let fault = policies.fault.filter(|fault| engine(fault) == Engine::Wasm)?;
            Some(FaultRule {
                hosts: policies.hosts.clone(),
                exempt_paths: policies.exempt_paths(),
                delay: fault.delay.map(|(duration, percent)| FaultDelay {
                    millis: u32::try_from(duration.as_millis()).unwrap_or(u32::MAX),
                    per_million: percent.per_million(),
                }),
                abort: fault.abort.map(|(status, percent)| FaultAbort { status: Status(status), per_million: percent.per_million() }),
            })
        })
        .collect();
    if !rules.is_empty() {
        chain.add_for_all(Some(http_filter::wasm::fault(&FaultConfig { rules }, scope.module)));
    }
}

/// What makes a fault: what our filter cannot do, Envoy's does, and then all of it.
pub(crate) fn engine(fault: &Fault) -> Engine {
    match needs_native(fault) {
        Some(_) => Engine::Native,
        None => fault.engine,
    }
}

/// What of a fault only Envoy's own filter can do, in the mesh's words.
pub(crate) fn needs_native(fault: &Fault) -> Option<&'static str> {
    [
        (fault.grpc_abort.is_some(), "grpc-abort"),
        (fault.response_rate_limit.is_some(), "response-rate-limit"),
        (!fault.headers.is_empty(), "header"),
        (fault.max_active.is_some(), "max-active"),
    ]
    .into_iter()
    .find_map(|(said, what)| said.then_some(what))
}
