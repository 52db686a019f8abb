//! A budget of retries is a share of all requests to a service: a route cannot have one of its own.

use spec::{Diagnostic, Diagnostics, Mesh, codes};

use super::super::tables::Tables;
use super::routes;

pub(super) fn check(mesh: &Mesh, _: &Tables, diagnostics: &mut Diagnostics) {
    for budget in routes(mesh).filter_map(|route| route.retry.as_ref()?.budget.as_ref()) {
        diagnostics.push(
            Diagnostic::error(codes::ROUTE_BUDGET, budget.percent.span, "a route cannot have a budget of its own")
                .label("Envoy counts retries and requests of a whole service")
                .help("say the `budget` in the `retry` of the service, of the call or of the gateway"),
        );
    }
}
