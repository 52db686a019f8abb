//! One try must not be allowed longer than the whole request: its limit would never act.

use spec::mesh::Retry;
use spec::{Diagnostic, Diagnostics, Mesh, Spanned, codes};
use std::time::Duration;

use super::super::tables::Tables;

pub(super) fn check(mesh: &Mesh, _: &Tables, diagnostics: &mut Diagnostics) {
    let default = mesh.defaults.timeout.as_ref();
    for service in &mesh.services {
        let whole = service.timeout.as_ref().or(default);
        compare(service.retry.as_ref(), whole, diagnostics);
        for route in &service.routes {
            compare(route.retry.as_ref(), route.timeout.as_ref().or(whole), diagnostics);
        }
    }
    for gateway in &mesh.gateways {
        compare(gateway.retry.as_ref(), gateway.timeout.as_ref(), diagnostics);
        for route in gateway.hosts.iter().flat_map(|host| &host.routes) {
            compare(route.retry.as_ref(), route.timeout.as_ref().or(gateway.timeout.as_ref()), diagnostics);
        }
    }
}

fn compare(retry: Option<&Retry>, whole: Option<&Spanned<Duration>>, diagnostics: &mut Diagnostics) {
    let (Some(one), Some(whole)) = (retry.and_then(|retry| retry.per_try_timeout.as_ref()), whole) else { return };
    if one.value > whole.value && !whole.value.is_zero() {
        diagnostics.push(
            Diagnostic::error(codes::TIMEOUT_ORDER, one.span, "one try may take longer than the whole request")
                .label("this limit never acts")
                .related(whole.span, "the whole request ends here")
                .help("make `per-try-timeout` shorter than `timeout`"),
        );
    }
}
