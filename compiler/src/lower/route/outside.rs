//! Host names of the outside world, as a gateway routes them.

use super::plan::Plan;
use super::{Around, entry, header_routing};
use crate::checked::{Gateway, GatewayHost, Id, Route, Service};
use crate::envoy::route::edits::edits;
use crate::envoy::route::{Host, refuse_several_hosts};
use crate::lower::rate_limit;
use crate::lower::scope::Scope;

/// On the listener of this port. Its requests do not carry a service's name: what the one target of a route says of its
/// own requests, header routing and routes, is written into the route table itself, and the route lets that one's filter
/// work.
pub(in crate::lower) fn host(scope: &Scope<'_>, gateway: &Gateway, host: &GatewayHost, port: Option<u16>) -> Host {
    let mut routes = Vec::new();
    if host.pattern.contains('*') {
        routes.push(refuse_several_hosts());
    }
    for declared in &host.routes {
        let Some(outer) = Plan::of(declared) else { continue };
        let around =
            Around { port, cors: host.cors.as_ref().or(gateway.cors.as_ref()), ..around(scope, gateway, declared) };
        let inner = narrowed(scope, declared, &outer);
        let filters = obeyed(declared).map(|id| header_routing::overrides(scope.mesh.service(id))).unwrap_or_default();
        for mut route in inner.iter().chain([&outer]).flat_map(|plan| entry::routes(scope, &around, plan)) {
            route.typed_per_filter_config.extend(filters.clone());
            routes.push(route);
        }
    }
    let request_headers = host.request_headers.iter().chain(&gateway.request_headers);
    let response_headers = host.response_headers.iter().chain(&gateway.response_headers);
    Host {
        request_headers: edits(request_headers),
        response_headers: edits(response_headers),
        overrides: rate_limit::of_host(scope, &host.rate_limits),
        ..Host::new(host.pattern.clone(), vec![host.pattern.clone()], entry::reachable(routes.into_iter()))
    }
}

/// The service whose own rules and routes a route obeys: its one target. A subset that is named is where requests go.
pub(super) fn obeyed(declared: &Route) -> Option<Id<Service>> {
    let [target] = declared.targets() else { return None };
    target.to.subset.is_none().then_some(target.to.service)
}

/// What the service that a route obeys says of its own requests.
fn narrowed<'a>(scope: &Scope<'a>, declared: &'a Route, outer: &Plan<'a>) -> Vec<Plan<'a>> {
    let (Some(id), [target]) = (obeyed(declared), declared.targets()) else { return Vec::new() };
    let service = scope.mesh.service(id);
    let by_rule = header_routing::plans(scope.mesh, service);
    let declared = service.routes.iter().filter_map(Plan::of);
    by_rule.into_iter().chain(declared).filter_map(|inner| outer.then(target, inner)).collect()
}

/// Of a route: its one target's. Of a split: the longest time limits of its targets, so that none is cut short, and no
/// retries, unless the gateway says so.
fn around<'a>(scope: &Scope<'a>, gateway: &'a Gateway, declared: &Route) -> Around<'a> {
    if let [target] = declared.targets() {
        return super::around(scope, target.to.service);
    }
    let services = || declared.targets().iter().map(|target| scope.mesh.service(target.to.service));
    // Zero is no limit, and so the longest.
    let longest = |one: std::time::Duration, other: std::time::Duration| match one.is_zero() || other.is_zero() {
        true => std::time::Duration::ZERO,
        false => one.max(other),
    };
    let timeout = services().map(|service: &Service| service.timeout).reduce(longest).unwrap_or_default();
    let idle = |service: &Service| service.idle_timeout;
    let said = services().any(|service| idle(service).is_some());
    let idle_timeouts = services().map(|service| idle(service).unwrap_or(super::IDLE_TIMEOUT));
    let idle_timeout = idle_timeouts.reduce(longest).filter(|_| said);
    Around {
        host: None,
        port: None,
        timeout: gateway.timeout.unwrap_or(timeout),
        idle_timeout: gateway.idle_timeout.or(idle_timeout),
        retry: gateway.retry.as_ref(),
        cors: None,
    }
}
