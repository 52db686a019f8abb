//! What only our own filter can do is not asked of Envoy's, and what only some owners have is not asked of others.

use spec::mesh::{Engine, RateLimit};
use spec::{Diagnostic, Diagnostics, Mesh, Spanned, codes};

use super::super::tables::Tables;
use super::everywhere;
use crate::lower::{ip_access, rate_limit};

pub(super) fn check(mesh: &Mesh, _: &Tables, diagnostics: &mut Diagnostics) {
    for (said, place) in everywhere::ip_accesses(mesh) {
        native(&said.engine, ip_access::needs_wasm(said), "decide access by address", diagnostics);
        refusal(&said.status, "access by address", diagnostics);
        if said.allow.is_empty() && said.deny.is_empty() {
            diagnostics.push(
                Diagnostic::error(codes::INVALID_VALUE, said.place.0.unwrap_or(place), "this refuses nobody")
                    .label("no network is allowed or denied")
                    .help("write `allow \"10.0.0.0/8\"`, or `deny …`"),
            );
        }
    }
    for limit in everywhere::rate_limits(mesh) {
        native(&limit.engine, rate_limit::needs_wasm(limit), "limit rates", diagnostics);
        keyless(limit, diagnostics);
        costly(limit, diagnostics);
    }
    for hops in hops_of_gateways(mesh) {
        diagnostics.push(
            Diagnostic::error(codes::INVALID_VALUE, hops.span, "a gateway has one number of trusted hops")
                .label("its clients are told by the gateway's own")
                .help("delete it, and write `trusted-hops` at the gateway"),
        );
    }
}

fn native(engine: &Option<Spanned<Engine>>, needs: Option<&str>, what: &str, diagnostics: &mut Diagnostics) {
    let Some(native) = engine.as_ref().filter(|engine| engine.value == Engine::Native) else { return };
    let Some(needs) = needs else { return };
    diagnostics.push(
        Diagnostic::error(codes::ENGINE_MISMATCH, native.span, format!("`native` cannot {what} with `{needs}`"))
            .label("Envoy's own filter knows nothing of it")
            .help(format!("leave `engine` out, or `{needs}`")),
    );
}

/// A refusal that looks like success is none.
fn refusal(status: &Option<Spanned<u16>>, what: &str, diagnostics: &mut Diagnostics) {
    let Some(status) = status.as_ref().filter(|status| status.value < 400) else { return };
    diagnostics.push(
        Diagnostic::error(codes::INVALID_VALUE, status.span, format!("{what} cannot answer {}", status.value))
            .label("this is no error")
            .help("write 403, which says that it is forbidden, or another status from 400"),
    );
}

/// Settings about keys mean nothing without them.
fn keyless(limit: &RateLimit, diagnostics: &mut Diagnostics) {
    let Some(unkeyed) = limit.unkeyed.as_ref().filter(|_| limit.keys.is_empty()) else { return };
    diagnostics.push(
        Diagnostic::error(codes::INVALID_VALUE, unkeyed.span, "all requests are counted together")
            .label("no key is said that one could lack")
            .help("write what requests are counted `by`, or delete `unkeyed`"),
    );
}

fn costly(limit: &RateLimit, diagnostics: &mut Diagnostics) {
    let burst = limit.burst.as_ref().map_or(limit.requests.value, |burst| burst.value);
    let Some(cost) = limit.cost.as_ref().filter(|cost| cost.value > burst) else { return };
    diagnostics.push(
        Diagnostic::error(codes::INVALID_VALUE, cost.span, "every request is refused")
            .label(format!("a bucket never holds more than {burst}"))
            .help(format!("write a `cost` of {burst} or less, or a larger `burst`")),
    );
}

/// What `trusted-hops` is said below a gateway.
fn hops_of_gateways(mesh: &Mesh) -> impl Iterator<Item = &Spanned<u32>> {
    mesh.gateways.iter().flat_map(|gateway| {
        let access = gateway.ip_access.as_deref().and_then(|access| access.trusted_hops.as_ref());
        let routes = gateway.hosts.iter().flat_map(|host| &host.routes).flat_map(|route| &route.rate_limits);
        let hosts = gateway.hosts.iter().flat_map(|host| &host.rate_limits);
        let limits = gateway.rate_limits.iter().chain(hosts).chain(routes);
        access.into_iter().chain(limits.filter_map(|limit| limit.trusted_hops.as_ref()))
    })
}
