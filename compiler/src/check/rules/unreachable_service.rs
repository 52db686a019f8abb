//! A service that nobody calls and nothing leads to.
//!
//! A mesh in which nobody calls anybody is being written, or part of a larger one: nothing is said of it.

use std::collections::BTreeSet;

use spec::mesh::{Call, JwtKeys};
use spec::{Diagnostic, Diagnostics, Mesh, codes};

use super::super::tables::Tables;
use super::everywhere::external_auths;
use super::routes;

pub(super) fn check(mesh: &Mesh, _: &Tables, diagnostics: &mut Diagnostics) {
    let callers: Vec<&[Call]> = mesh
        .nodes
        .iter()
        .map(|node| node.calls.as_slice())
        .chain(mesh.gateways.iter().map(|gateway| gateway.calls.as_slice()))
        .collect();
    let nobody_calls = mesh.gateways.is_empty() && callers.iter().all(|calls| calls.is_empty());
    if nobody_calls || callers.iter().any(|calls| Call::all(calls).is_some()) {
        return;
    }
    let mut reached = referred(mesh);
    reached.extend(callers.iter().flat_map(|calls| Call::listed(calls)).map(|name| name.value.key()));
    for service in mesh.services.iter().filter(|service| !reached.contains(&service.name.value.key())) {
        let message = format!("nobody calls `{}`", service.name.value);
        diagnostics.push(
            Diagnostic::of(codes::UNREACHABLE_SERVICE, service.name.span, message)
                .label("no node, gateway or route leads to it")
                .help(format!("add `calls \"{}\"` where it is called, or delete it", service.name.value)),
        );
    }
}

/// Where requests go that no caller names.
fn referred(mesh: &Mesh) -> BTreeSet<String> {
    let own = mesh.services.iter().flat_map(|service| {
        let mirrors = service.mirrors.iter().map(|mirror| &mirror.to);
        let failover = service.failover.iter().map(|failover| &failover.service);
        let rules = service.header_routing.iter().flat_map(|routing| &routing.rules).map(|rule| &rule.to);
        // A route to the service itself leads nobody there.
        let routes = service.routes.iter().flat_map(|route| route.targets()).map(|target| &target.service);
        mirrors.chain(failover).chain(rules).chain(routes).filter(|name| name.value.key() != service.name.value.key())
    });
    let hosts = mesh.gateways.iter().flat_map(|gateway| &gateway.hosts);
    let of_hosts = hosts.clone().flat_map(|host| &host.targets);
    let of_routes = hosts.flat_map(|host| &host.routes).flat_map(|route| route.targets());
    let of_listeners = mesh.gateways.iter().flat_map(|gateway| &gateway.listen).flat_map(|listener| &listener.targets);
    let targets = of_hosts.chain(of_routes).chain(of_listeners).map(|target| &target.service);
    let mirrors = routes(mesh).flat_map(|route| &route.mirrors).map(|mirror| &mirror.to);
    let asked = external_auths(mesh).map(|auth| &auth.service);
    let names = own.chain(targets).chain(mirrors).chain(asked).map(|name| name.value.key());
    names.chain(mesh.jwt_providers.iter().filter_map(|provider| key_host(&provider.keys.value))).collect()
}

/// Public keys may be fetched from a service of the mesh.
fn key_host(keys: &JwtKeys) -> Option<String> {
    let JwtKeys::Url(url) = keys else { return None };
    let rest = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
    let host = rest.split(['/', '?', '#']).next()?;
    Some(host.split(':').next()?.to_ascii_lowercase())
}
