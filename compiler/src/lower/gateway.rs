//! The listener of a gateway: from the outside world into the mesh.

use super::outbound::clusters;
use super::route::{self, Defaults, domains, service_host};
use super::{Parts, public, wasm};
use crate::WasmModule;
use crate::checked::{CheckedMesh, Gateway, GatewayHost, Route, Service};
use crate::envoy::http_filter::HttpFilter;
use crate::envoy::listener::{HttpListener, Side, http_listener};
use crate::envoy::names;
use crate::envoy::route::{Host, configuration, refuse_several_hosts};

pub(super) fn lower(mesh: &CheckedMesh, gateway: &Gateway, module: &WasmModule) -> Parts {
    let by_name = gateway.services.iter().map(|id| {
        let service = mesh.service(*id);
        service_host(mesh, *id, domains(service), &defaults(gateway, service))
    });
    let by_host = gateway.hosts.iter().map(|host| outside_host(mesh, gateway, host));
    let listener = HttpListener {
        name: names::gateway_listener(gateway),
        host: public(gateway.bind),
        port: gateway.listen,
        side: Side::Edge,
        routes: configuration(names::INGRESS_ROUTES, by_name.chain(by_host).collect(), policy::ROUTE_HEADER),
        filters: filters(mesh, gateway),
        access_log: mesh.access_log,
    };
    let targets = gateway.hosts.iter().flat_map(|host| &host.routes).flat_map(|route| &route.targets);
    let routed = targets.flat_map(|target| {
        let rules = &mesh.service(target.service).header_routing;
        std::iter::once(target.service).chain(rules.iter().map(|rule| rule.to))
    });
    Parts {
        listeners: vec![http_listener(listener, module)],
        clusters: clusters(mesh, gateway.services.iter().copied().chain(routed)),
    }
}

/// A host name of the outside world. Its requests do not carry a service's name, so header routing of a route's one
/// target is written into the route table itself.
fn outside_host(mesh: &CheckedMesh, gateway: &Gateway, host: &GatewayHost) -> Host {
    let mut routes = Vec::new();
    if host.pattern.starts_with('*') {
        routes.push(refuse_several_hosts());
    }
    for declared in &host.routes {
        let Some(first) = declared.targets.first() else { continue };
        let service = mesh.service(first.service);
        let defaults = defaults(gateway, service);
        if declared.targets.len() == 1 {
            routes.extend(by_rules(mesh, declared, service, &defaults));
        }
        routes.push(route::lower(mesh, None, declared, &defaults));
    }
    Host { name: host.pattern.clone(), domains: vec![host.pattern.clone()], routes }
}

fn by_rules(
    mesh: &CheckedMesh,
    declared: &Route,
    service: &Service,
    defaults: &Defaults<'_>,
) -> Vec<::envoy::config::route::v3::Route> {
    service.header_routing.iter().map(|rule| route::by_rule(mesh, declared, rule, defaults)).collect()
}

/// What the gateway says holds over what the service says.
fn defaults<'a>(gateway: &'a Gateway, service: &'a Service) -> Defaults<'a> {
    Defaults {
        timeout: gateway.timeout.unwrap_or(service.timeout),
        retry: gateway.retry.as_ref().or(service.retry.as_ref()),
    }
}

/// Credentials are asked of every request, whatever its host and path.
fn filters(mesh: &CheckedMesh, gateway: &Gateway) -> Vec<HttpFilter> {
    let rules = gateway.basic_auth.iter().map(|auth| wasm::basic_auth_rule(auth, Vec::new(), Vec::new())).collect();
    let routing = wasm::header_routing(mesh, &gateway.services);
    wasm::basic_auth(rules).into_iter().chain(routing).collect()
}
