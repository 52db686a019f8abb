//! Host names of the outside world, as a gateway routes them.

use spec::Spanned;
use spec::mesh::PathMatch;

use super::{Defaults, lower};
use crate::checked::{Action, Gateway, GatewayHost, Route, RoutingRule, Service, Target};
use crate::envoy::route::{Host, refuse_several_hosts};
use crate::lower::scope::Scope;

/// Its requests do not carry a service's name: what the one target of a route says of its own requests, header routing
/// and routes, is written into the route table itself.
pub(in crate::lower) fn host(scope: &Scope<'_>, gateway: &Gateway, host: &GatewayHost) -> Host {
    let mut routes = Vec::new();
    if host.pattern.contains('*') {
        routes.push(refuse_several_hosts());
    }
    for declared in &host.routes {
        let defaults = defaults(scope, gateway, declared);
        if let [target] = declared.targets() {
            let service = scope.mesh.service(target.to.service);
            let narrowed = service.routes.iter().filter_map(|inner| narrowed(declared, inner));
            let by_rule = service.header_routing.iter().map(|rule| by_rule(declared, rule));
            routes.extend(by_rule.chain(narrowed).map(|inner| lower(scope, None, &inner, &defaults)));
        }
        routes.push(lower(scope, None, declared, &defaults));
    }
    Host::new(host.pattern.clone(), vec![host.pattern.clone()], routes)
}

/// Requests of a declared route that a header-routing rule sends elsewhere.
fn by_rule(declared: &Route, rule: &RoutingRule) -> Route {
    let mut route = declared.clone();
    route.matches.headers.extend(rule.headers.iter().cloned());
    route.action = Action::To(vec![Target::all(rule.to)]);
    route
}

/// Requests that both a declared route and a route of its target take; `None` if there are none.
fn narrowed(declared: &Route, inner: &Route) -> Option<Route> {
    let path = |route: &Route| route.matches.path.as_ref().map(|path| path.value.clone());
    let root = || PathMatch::Prefix("/".to_owned());
    let (ours, theirs) = (path(declared).unwrap_or_else(root), path(inner).unwrap_or_else(root));
    let path = match (&ours, &theirs) {
        (PathMatch::Prefix(outer), _) if outer == "/" => theirs,
        (PathMatch::Prefix(outer), PathMatch::Prefix(path) | PathMatch::Exact(path)) if path.starts_with(outer) => {
            theirs
        }
        (PathMatch::Prefix(path) | PathMatch::Exact(path), PathMatch::Prefix(outer)) if path.starts_with(outer) => ours,
        (PathMatch::Exact(one), PathMatch::Exact(other)) if one == other => ours,
        _ => return None,
    };
    let mut route = declared.clone();
    let place = inner.matches.path.as_ref().or(declared.matches.path.as_ref()).map(|path| path.span);
    route.matches.path = place.map(|span| Spanned::new(path, span));
    route.matches.headers.extend(inner.matches.all_headers().cloned());
    route.action = inner.action.clone();
    route.timeout = declared.timeout.or(inner.timeout);
    route.retry = declared.retry.clone().or_else(|| inner.retry.clone());
    Some(route)
}

/// Of a route: its one target's. Of a split: the longest time limit of its targets, so that none is cut short, and no
/// retries, unless the gateway says so.
fn defaults<'a>(scope: &Scope<'a>, gateway: &'a Gateway, declared: &Route) -> Defaults<'a> {
    if let [target] = declared.targets() {
        return super::defaults(scope, target.to.service);
    }
    let services = declared.targets().iter().map(|target| scope.mesh.service(target.to.service));
    let longest = services.map(|service: &Service| service.timeout).max().unwrap_or_default();
    Defaults { timeout: gateway.timeout.unwrap_or(longest), retry: gateway.retry.as_ref() }
}
