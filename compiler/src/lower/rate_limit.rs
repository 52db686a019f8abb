//! How many requests are accepted: a filter of its own for each limit, so that a request must pass all.

use spec::mesh::RateLimit;

use super::policies::{Chain, Policies};
use super::scope::Scope;
use crate::checked::CheckedMesh;
use crate::envoy::http_filter::rate_limit::{self, Level};
use crate::envoy::http_filter::{FilterOverrides, HttpFilter, buffer};

/// The limits of a gateway, or of a service at its own sidecar, where a body may be limited too.
pub(super) fn lower(_scope: &Scope<'_>, policies: &Policies<'_>, chain: &mut Chain) {
    let health_check = policies.health_check.map(|check| check.path.as_str());
    for (number, said) in policies.rate_limits.iter().enumerate() {
        let limit = rate_limit::limit(said, Level::Owner, health_check);
        chain.add_configured(policies, rate_limit::place(Level::Owner, number), ::envoy::any(&limit));
    }
    if let Some(bytes) = policies.max_request_bytes {
        chain.add_configured(policies, buffer::buffer(), ::envoy::any(&buffer::at_most(bytes)));
    }
}

/// What the virtual host of a gateway's host says of its limits.
pub(super) fn of_host(limits: &[RateLimit]) -> FilterOverrides {
    overrides(limits, Level::Host)
}

/// What a route says of its limits.
pub(super) fn of_route(limits: &[RateLimit]) -> FilterOverrides {
    overrides(limits, Level::Route)
}

/// The filters that hosts and routes with so many limits, at most, need in the chain.
pub(super) fn places(of_host: usize, of_route: usize) -> Vec<HttpFilter> {
    let hosts = (0..of_host).map(|number| rate_limit::place(Level::Host, number).disabled());
    hosts.chain((0..of_route).map(|number| rate_limit::place(Level::Route, number).disabled())).collect()
}

/// Whether some limit counts by keys: Envoy formats them only where its runtime says so.
pub(super) fn counts_by_keys(mesh: &CheckedMesh) -> bool {
    let services = mesh.services().map(|(_, it)| it);
    let of_services = services.flat_map(|it| it.rate_limits.iter().chain(it.routes.iter().flat_map(|it| &it.rate_limits)));
    let gateways = mesh.gateways().map(|(_, it)| it);
    let of_gateways = gateways.flat_map(|it| {
        let hosts = it.hosts.iter().flat_map(|host| {
            host.rate_limits.iter().chain(host.routes.iter().flat_map(|route| &route.rate_limits))
        });
        it.rate_limits.iter().chain(hosts)
    });
    of_services.chain(of_gateways).any(|limit| !limit.keys.is_empty())
}

fn overrides(limits: &[RateLimit], level: Level) -> FilterOverrides {
    let place = |(number, said): (usize, &RateLimit)| {
        let limit = rate_limit::limit(said, level, None);
        (rate_limit::place(level, number).name().to_owned(), ::envoy::any(&limit))
    };
    limits.iter().enumerate().map(place).collect()
}
