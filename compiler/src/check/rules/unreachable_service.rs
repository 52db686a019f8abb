//! A service that nobody calls and nothing leads to.
//!
//! A service whose node calls others may be where requests begin: outside callers reach it by ways that the mesh does
//! not know. A mesh in which nobody calls anybody is being written, or part of a larger one. A name that does not
//! resolve may be the missing link. Nothing is said of any of them.

use spec::mesh::{Call, HeaderRouting, JwtKeys};
use spec::{Diagnostic, Diagnostics, Mesh, Name, Spanned, codes};

use super::super::tables::Tables;
use super::everywhere::external_auths;
use super::routes;

pub(super) fn check(mesh: &Mesh, tables: &Tables, diagnostics: &mut Diagnostics) {
    let callers = mesh.nodes.iter().map(|node| &node.calls).chain(mesh.gateways.iter().map(|gateway| &gateway.calls));
    if callers.clone().any(|calls| Call::all(calls).is_some()) {
        return;
    }
    let listed: Vec<&Name> = callers.flat_map(|calls| Call::listed(calls)).map(|name| name.value).collect();
    let enters = entered(mesh).next().is_some();
    if (listed.is_empty() && !enters) || listed.iter().any(|name| tables.find_service(name).is_none()) {
        return;
    }
    let mut reached = vec![false; mesh.services.len()];
    let names = referred(mesh).chain(listed).chain(begins(mesh)).filter_map(|name| tables.find_service(name));
    let hosts = mesh.jwt_providers.iter().filter_map(|provider| key_host(&provider.keys.value));
    for id in names.chain(hosts.filter_map(|host| tables.find_key(&host))) {
        reached.get_mut(id.index()).into_iter().for_each(|reached| *reached = true);
    }
    let is_reached = |name: &Name| tables.find_service(name).and_then(|id| reached.get(id.index()).copied());
    for service in mesh.services.iter().filter(|service| is_reached(&service.name.value) == Some(false)) {
        let message = format!("nobody calls `{}`", service.name.value);
        diagnostics.push(
            Diagnostic::of(codes::UNREACHABLE_SERVICE, service.name.span, message)
                .label("no node, gateway or route leads to it")
                .help(format!("add `calls \"{}\"` where it is called, or delete it", service.name.value)),
        );
    }
}

/// Services whose nodes call others.
fn begins(mesh: &Mesh) -> impl Iterator<Item = &Name> {
    let calling = mesh.nodes.iter().filter(|node| !node.calls.is_empty());
    calling.flat_map(|node| &node.serves).map(|serve| &serve.service.value)
}

/// Where the hosts and listeners of gateways lead.
fn entered(mesh: &Mesh) -> impl Iterator<Item = &Spanned<Name>> {
    let hosts = mesh.gateways.iter().flat_map(|gateway| &gateway.hosts);
    let of_routes = hosts.clone().flat_map(|host| &host.routes).flat_map(|route| route.targets());
    let listeners = mesh.gateways.iter().flat_map(|gateway| &gateway.listen);
    let of_listeners = listeners.flat_map(|listener| &listener.targets);
    hosts.flat_map(|host| &host.targets).chain(of_routes).chain(of_listeners).map(|target| &target.service)
}

/// Where requests go that no caller names.
fn referred(mesh: &Mesh) -> impl Iterator<Item = &Name> {
    let own = mesh.services.iter().flat_map(|service| {
        let mirrors = service.mirrors.iter().map(|mirror| &mirror.to);
        let failover = service.failover.iter().map(|failover| &failover.service);
        let rules = service.header_routing.iter().flat_map(HeaderRouting::targets);
        // A route to the service itself leads nobody there.
        let routes = service.routes.iter().flat_map(|route| route.targets()).map(|target| &target.service);
        mirrors
            .chain(failover)
            .chain(rules)
            .chain(routes)
            .filter(|name| name.value.folded() != service.name.value.folded())
    });
    let mirrors = routes(mesh).flat_map(|route| &route.mirrors).map(|mirror| &mirror.to);
    let asked = external_auths(mesh).map(|auth| &auth.service);
    own.chain(entered(mesh)).chain(mirrors).chain(asked).map(|name| &name.value)
}

/// Public keys may be fetched from a service of the mesh.
fn key_host(keys: &JwtKeys) -> Option<String> {
    let JwtKeys::Url(url) = keys else { return None };
    let rest = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
    let host = rest.split(['/', '?', '#']).next()?;
    Some(host.split(':').next()?.to_ascii_lowercase())
}
