//! What an application reaches without interception: the egress listener of its sidecar, and a port of its own for
//! each service that has one.

use std::net::IpAddr;

use super::policies::Chain;
use super::scope::Scope;
use super::{EGRESS_PORT, Parts, cluster, egress, observability, route, tcp, wasm};
use crate::checked::{Id, Node, Service};
use crate::envoy::http_filter::HttpFilter;
use crate::envoy::listener::{Chain as Way, HttpChain, Listener, Side, Tunnels, listener, plain};
use crate::envoy::names;
use crate::envoy::route::{Host, configuration};

/// A node that calls nothing has a listener all the same: its application gets 404, not a refused connection.
pub(super) fn lower(scope: &Scope<'_>, node: &Node, parts: &mut Parts) {
    for call in &node.calls {
        cluster::reached(scope, call.service, parts);
    }
    let called = requests_to(scope, node);
    let outside = egress::explicit(scope, parts);
    let tunnels = if outside.hosts.is_empty() { Tunnels::Never } else { Tunnels::WhereRoutesSay };
    let hosts = called.iter().map(|id| route::service_host(scope, *id, None)).chain(outside.hosts);
    parts.routes(configuration(names::EGRESS_ROUTES, hosts.collect()));
    let by_header = route::header_routing::filters(scope, &called);
    let filters = by_header.into_iter().chain(outside.filters).collect();
    let chain = chain(scope, &called, filters, names::EGRESS_ROUTES, parts);
    parts.listener(listener(Listener {
        name: names::EGRESS_LISTENER.to_owned(),
        host: scope.private(),
        port: EGRESS_PORT,
        side: Side::Outbound { tunnels },
        chains: vec![plain(chain)],
    }));
    for call in &node.calls {
        let Some(at) = call.local else { continue };
        local_port(scope, call.service, at, parts);
    }
}

/// The called services that are told apart by `Host`.
pub(super) fn requests_to(scope: &Scope<'_>, node: &Node) -> Vec<Id<Service>> {
    let called = node.calls.iter().map(|call| call.service);
    called.filter(|id| scope.mesh.service(*id).is_http()).collect()
}

/// What requests that go out meet, whatever listener took them.
pub(super) fn chain(
    scope: &Scope<'_>,
    called: &[Id<Service>],
    filters: Vec<HttpFilter>,
    routes: &str,
    parts: &mut Parts,
) -> HttpChain {
    let mut chain = Chain::default();
    chain.filters.extend(filters);
    chain.filters.extend(route::filters(scope, called));
    wasm::outbound(scope, &mut chain, parts);
    HttpChain {
        routes: routes.to_owned(),
        filters: chain.filters,
        access_log: observability::access_log(scope),
        tracing: observability::tracing(scope, parts),
    }
}

/// Everything that arrives is for this service.
fn local_port(scope: &Scope<'_>, id: Id<Service>, (host, port): (IpAddr, u16), parts: &mut Parts) {
    let service = scope.mesh.service(id);
    let chain = if service.is_http() {
        let routes = names::local_routes(service);
        parts.routes(configuration(&routes, vec![any_host(scope, id)]));
        let by_header = route::header_routing::filters(scope, &[id]);
        plain(chain(scope, &[id], by_header, &routes, parts))
    } else {
        Way::bytes(tcp::to_service(scope, id))
    };
    parts.listener(listener(Listener {
        name: names::local_listener(service),
        host,
        port,
        side: Side::Outbound { tunnels: Tunnels::Never },
        chains: vec![chain],
    }));
}

/// The routes of a service for requests that name whatever `Host`: they leave under the service's name.
fn any_host(scope: &Scope<'_>, id: Id<Service>) -> Host {
    Host { domains: vec!["*".to_owned()], ..route::service_host_renamed(scope, id) }
}
