//! A bound of zero requests lets none through. Of connections one is always allowed, and no retries is a choice.

use spec::mesh::{CircuitBreaker, Inbound};
use spec::{Diagnostic, Diagnostics, Mesh, Spanned, codes};

use super::super::tables::Tables;

pub(super) fn check(mesh: &Mesh, _: &Tables, diagnostics: &mut Diagnostics) {
    let calls = mesh.nodes.iter().flat_map(|node| &node.calls);
    let calls = calls.chain(mesh.gateways.iter().flat_map(|gateway| &gateway.calls));
    let services = mesh.services.iter().filter_map(|service| service.circuit_breaker.as_deref());
    let breakers = mesh.defaults.circuit_breaker.iter().chain(services);
    for breaker in breakers.chain(calls.filter_map(|call| call.circuit_breaker.as_deref())) {
        let CircuitBreaker { max_pending, max_requests, .. } = breaker;
        zero("max-pending", max_pending, diagnostics);
        zero("max-requests", max_requests, diagnostics);
    }
    for inbound in mesh.services.iter().filter_map(|service| service.inbound.as_deref()) {
        let Inbound { max_pending, max_requests, .. } = inbound;
        zero("max-pending", max_pending, diagnostics);
        zero("max-requests", max_requests, diagnostics);
    }
}

fn zero(field: &str, said: &Option<Spanned<u32>>, diagnostics: &mut Diagnostics) {
    let Some(said) = said.as_ref().filter(|said| said.value == 0) else { return };
    let why = match field {
        "max-pending" => "a request that waits for its connection is refused, and the first one must wait",
        _ => "every request is refused",
    };
    diagnostics.push(
        Diagnostic::of(codes::ZERO_LIMIT, said.span, format!("`{field}` of 0 lets no request through"))
            .label(why)
            .help("write at least 1, or leave it out for 1024"),
    );
}
