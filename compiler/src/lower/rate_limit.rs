//! How many requests are accepted: a filter of its own for each limit, so that a request must pass all.

mod ours;

use std::borrow::Cow;
use std::collections::BTreeMap;

use spec::mesh::{Engine, RateLimit};

pub(crate) use self::ours::{engine, needs_wasm};
use super::policies::{Chain, Policies};
use super::scope::Scope;
use crate::checked::{CheckedMesh, Id, Route, Service};
use crate::envoy::http_filter::rate_limit::{self, Level};
use crate::envoy::http_filter::{self, FilterOverrides, HttpFilter, buffer, wasm};

/// The limits of a gateway, or of a service at its own sidecar, where a body may be limited too.
pub(super) fn lower(scope: &Scope<'_>, policies: &Policies<'_>, chain: &mut Chain) {
    let health_check = policies.health_check.map(|check| check.path.as_str());
    let (native, ours): (Vec<_>, Vec<_>) = policies.rate_limits.iter().partition(|it| engine(it) == Engine::Native);
    for (number, said) in native.into_iter().enumerate() {
        let limit = rate_limit::limit(said, Level::Owner, health_check);
        chain.add_configured(policies, rate_limit::place(Level::Owner, number), ::envoy::any(&limit));
    }
    // One filter for all: a request takes from none of them unless from all.
    if !ours.is_empty() {
        let config = ours::config(&policies.owner, ours);
        chain.add(policies, wasm::rate_limit(&policies.owner, &config, scope.module));
    }
    if let Some(bytes) = policies.max_request_bytes {
        chain.add_configured(policies, buffer::buffer(), ::envoy::any(&buffer::at_most(bytes)));
    }
}

/// What the virtual host of a gateway's host says of its limits.
pub(super) fn of_host(scope: &Scope<'_>, limits: &[RateLimit]) -> FilterOverrides {
    enabled(scope, limits.iter())
}

/// What a route says of its limits. Several of Envoy's routes that stand for one of the mesh share its buckets.
pub(super) fn of_route(scope: &Scope<'_>, limits: &[&RateLimit]) -> FilterOverrides {
    enabled(scope, limits.iter().copied())
}

/// A filter for each limit of a host or route that this proxy routes by, disabled elsewhere.
pub(super) fn filters(scope: &Scope<'_>) -> Vec<HttpFilter> {
    let limits = scope.routed_limits.get_or_init(|| routed(scope));
    limits.iter().enumerate().map(|(number, said)| of_number(scope, number, said).disabled()).collect()
}

fn of_number(scope: &Scope<'_>, number: usize, said: &RateLimit) -> HttpFilter {
    match engine(said) {
        Engine::Native => {
            let limit = rate_limit::limit(said, Level::Route, None);
            rate_limit::place(Level::Route, number).with(::envoy::any(&limit))
        }
        Engine::Wasm => {
            let owner = format!("route:{number}");
            wasm::rate_limit(&owner, &ours::config(&owner, [said]), scope.module)
        }
    }
}

fn enabled<'a>(scope: &Scope<'_>, limits: impl Iterator<Item = &'a RateLimit>) -> FilterOverrides {
    let mut limits = limits.peekable();
    // Most routes have none, and there are thousands of them.
    if limits.peek().is_none() {
        return FilterOverrides::new();
    }
    let known = scope.routed_limits.get_or_init(|| routed(scope));
    // Where it is said tells a limit from another that says the same.
    let same = |one: &RateLimit, other: &RateLimit| one == other && one.requests.span == other.requests.span;
    let number = |said: &RateLimit| known.iter().position(|limit| same(limit, said));
    limits
        .filter_map(|said| Some(of_number(scope, number(said)?, said)))
        .map(|filter| (filter.name().to_owned(), http_filter::enabled()))
        .collect()
}

/// The limits of hosts and routes, in the order of their filters.
fn routed(scope: &Scope<'_>) -> Vec<RateLimit> {
    let hosts = scope.gateway().map_or(&[][..], |gateway| gateway.hosts.as_slice());
    let called = scope.calls().iter().map(|call| call.service);
    let targets = hosts.iter().flat_map(|host| &host.routes).flat_map(Route::targets).map(|target| target.to.service);
    let named = called.chain(targets).map(|id| (scope.mesh.service(id).name.folded(), id));
    let services: BTreeMap<Cow<'_, str>, Id<Service>> = named.collect();
    let of_services = services.into_values().flat_map(|id| &scope.mesh.service(id).routes);
    let of_hosts = hosts
        .iter()
        .flat_map(|host| host.rate_limits.iter().chain(host.routes.iter().flat_map(|route| &route.rate_limits)));
    of_services.flat_map(|route| &route.rate_limits).chain(of_hosts).cloned().collect()
}

/// Whether some limit counts by keys: Envoy formats them only where its runtime says so.
pub(super) fn counts_by_keys(mesh: &CheckedMesh) -> bool {
    let services = mesh.services().map(|(_, it)| it);
    let of_services =
        services.flat_map(|it| it.rate_limits.iter().chain(it.routes.iter().flat_map(|it| &it.rate_limits)));
    let gateways = mesh.gateways().map(|(_, it)| it);
    let of_gateways = gateways.flat_map(|it| {
        let hosts = it
            .hosts
            .iter()
            .flat_map(|host| host.rate_limits.iter().chain(host.routes.iter().flat_map(|route| &route.rate_limits)));
        it.rate_limits.iter().chain(hosts)
    });
    of_services.chain(of_gateways).any(|limit| !limit.keys.is_empty() && engine(limit) == Engine::Native)
}
