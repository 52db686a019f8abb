//! The listeners of a gateway: from the outside world into the mesh.

use super::policies::{self, Chain};
use super::scope::Scope;
use super::{Parts, authentication, cluster, fault, observability, route, wasm};
use crate::checked::{Gateway, Id, Service};
use crate::envoy::listener::{HttpChain, Listener, Side, listener, plain};
use crate::envoy::names;
use crate::envoy::route::{Host, configuration};

pub(super) fn lower(scope: &Scope<'_>, gateway: &Gateway, parts: &mut Parts) {
    let called: Vec<Id<Service>> = gateway.calls.iter().map(|call| call.service).collect();
    let port = gateway.listen.first().map_or(0, |listener| listener.port);
    let by_name = called.iter().map(|id| route::service_host(scope, *id, Some(port)));
    let by_host = gateway.hosts.iter().map(|host| route::outside::host(scope, gateway, host, Some(port)));
    let hosts: Vec<Host> = by_name.chain(by_host).collect();
    for id in &called {
        cluster::reached(scope, *id, parts);
    }
    for route in gateway.hosts.iter().flat_map(|host| &host.routes) {
        cluster::of_route(scope, route, parts);
    }
    parts.routes(configuration(names::INGRESS_ROUTES, hosts));
    let chain = chain(scope, gateway, &called, names::INGRESS_ROUTES, parts);
    parts.listener(listener(Listener {
        name: names::gateway_listener(gateway),
        host: scope.public(),
        port,
        side: Side::Edge { trusted_hops: gateway.trusted_hops },
        chains: vec![plain(chain)],
    }));
}

/// What every request meets, whatever its host and path.
fn chain(scope: &Scope<'_>, gateway: &Gateway, called: &[Id<Service>], routes: &str, parts: &mut Parts) -> HttpChain {
    let policies = policies::of_gateway(scope, gateway);
    let mut chain = Chain::default();
    authentication::passwords(scope, std::slice::from_ref(&policies), &mut chain);
    fault::ours(scope, std::slice::from_ref(&policies), &mut chain);
    policies::lower(scope, &policies, &mut chain, parts);
    chain.add_for_all(route::header_routing::filter(scope, called));
    chain.filters.extend(route::filters(scope, called));
    wasm::outbound(scope, &mut chain, parts);
    HttpChain {
        routes: routes.to_owned(),
        filters: chain.filters,
        access_log: observability::access_log(scope),
        tracing: observability::tracing(scope, parts),
    }
}
