//! The listener of a gateway: from the outside world into the mesh.

use std::net::IpAddr;

use spec::mesh::PathMatch;

use super::outbound::clusters;
use super::route::{self, Defaults, domains, service_host};
use super::{Parts, wasm};
use crate::WasmModule;
use crate::checked::{CheckedMesh, Gateway, GatewayHost, Route, RoutingRule, Service, Target};
use crate::envoy::http_filter::HttpFilter;
use crate::envoy::listener::{HttpListener, Side, http_listener};
use crate::envoy::names;
use crate::envoy::route::{Host, configuration, refuse_several_hosts};

pub(super) fn lower(mesh: &CheckedMesh, gateway: &Gateway, public: IpAddr, module: &WasmModule) -> Parts {
    let by_name = gateway.services.iter().map(|id| {
        let service = mesh.service(*id);
        service_host(mesh, *id, domains(service), &of_service(gateway, service))
    });
    let by_host = gateway.hosts.iter().map(|host| outside_host(mesh, gateway, host));
    let listener = HttpListener {
        name: names::gateway_listener(gateway),
        host: public,
        port: gateway.listen,
        side: Side::Edge { trusted_hops: gateway.trusted_hops },
        routes: configuration(names::INGRESS_ROUTES, by_name.chain(by_host).collect()),
        filters: filters(mesh, gateway),
        access_log: mesh.access_log,
    };
    let targets = gateway.hosts.iter().flat_map(|host| &host.routes).flat_map(|route| &route.targets);
    let routed = targets.map(|target| target.service);
    Parts {
        listeners: vec![http_listener(listener, module)],
        clusters: clusters(mesh, gateway.services.iter().copied().chain(routed)),
    }
}

/// A host name of the outside world. Its requests do not carry a service's name: what the one target of a route says of
/// its own requests, header routing and routes, is written into the route table itself.
fn outside_host(mesh: &CheckedMesh, gateway: &Gateway, host: &GatewayHost) -> Host {
    let mut routes = Vec::new();
    if host.pattern.contains('*') {
        routes.push(refuse_several_hosts());
    }
    for declared in &host.routes {
        let defaults = defaults(gateway, mesh, declared);
        if let [target] = declared.targets.as_slice() {
            let service = mesh.service(target.service);
            let narrowed = service.routes.iter().filter_map(|inner| narrowed(declared, inner));
            let by_rule = service.header_routing.iter().map(|rule| by_rule(declared, rule));
            routes.extend(by_rule.chain(narrowed).map(|inner| route::lower(mesh, None, &inner, &defaults)));
        }
        routes.push(route::lower(mesh, None, declared, &defaults));
    }
    Host { name: host.pattern.clone(), domains: vec![host.pattern.clone()], routes }
}

/// Requests of a declared route that a header-routing rule sends elsewhere.
fn by_rule(declared: &Route, rule: &RoutingRule) -> Route {
    Route {
        headers: declared.headers.iter().chain(&rule.headers).cloned().collect(),
        targets: vec![Target { service: rule.to, weight: 1 }],
        ..declared.clone()
    }
}

/// Requests that both a declared route and a route of its target take; `None` if there are none.
fn narrowed(declared: &Route, inner: &Route) -> Option<Route> {
    let path = match (&declared.path, &inner.path) {
        (PathMatch::Prefix(outer), _) if outer == "/" => inner.path.clone(),
        (PathMatch::Prefix(outer), PathMatch::Prefix(path) | PathMatch::Exact(path)) if path.starts_with(outer) => {
            inner.path.clone()
        }
        (PathMatch::Prefix(path) | PathMatch::Exact(path), PathMatch::Prefix(outer)) if path.starts_with(outer) => {
            declared.path.clone()
        }
        (PathMatch::Exact(one), PathMatch::Exact(other)) if one == other => declared.path.clone(),
        _ => return None,
    };
    Some(Route {
        path,
        headers: declared.headers.iter().chain(&inner.headers).cloned().collect(),
        targets: inner.targets.clone(),
        timeout: declared.timeout.or(inner.timeout),
        retry: declared.retry.clone().or_else(|| inner.retry.clone()),
    })
}

/// By name: what the gateway says holds over what the service says.
fn of_service<'a>(gateway: &'a Gateway, service: &'a Service) -> Defaults<'a> {
    Defaults {
        timeout: gateway.timeout.unwrap_or(service.timeout),
        retry: gateway.retry.as_ref().or(service.retry.as_ref()),
    }
}

/// Of a route: its one target's. Of a split: the longest time limit of its targets, so that none is cut short, and no
/// retries, unless the gateway says so.
fn defaults<'a>(gateway: &'a Gateway, mesh: &'a CheckedMesh, declared: &Route) -> Defaults<'a> {
    let services: Vec<&Service> = declared.targets.iter().map(|target| mesh.service(target.service)).collect();
    if let [service] = services.as_slice() {
        return of_service(gateway, service);
    }
    let longest = services.iter().map(|service| service.timeout).max().unwrap_or_default();
    Defaults { timeout: gateway.timeout.unwrap_or(longest), retry: gateway.retry.as_ref() }
}

/// Credentials are asked of every request, whatever its host and path.
fn filters(mesh: &CheckedMesh, gateway: &Gateway) -> Vec<HttpFilter> {
    let rules = gateway.basic_auth.iter().map(|auth| wasm::basic_auth_rule(auth, Vec::new(), Vec::new())).collect();
    let routing = wasm::header_routing(mesh, &gateway.services);
    wasm::basic_auth(rules).into_iter().chain(routing).collect()
}
