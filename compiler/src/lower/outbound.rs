//! The egress listener of a sidecar: from the application beside it to the services it calls.

use super::policies::Chain;
use super::scope::Scope;
use super::{EGRESS_PORT, Parts, cluster, egress, observability, route, wasm};
use crate::checked::{Id, Node, Service};
use crate::envoy::listener::{HttpChain, Listener, Side, listener, plain};
use crate::envoy::names;
use crate::envoy::route::{Host, configuration};

/// A node that calls nothing has a listener all the same: its application gets 404, not a refused connection.
pub(super) fn lower(scope: &Scope<'_>, node: &Node, parts: &mut Parts) {
    let called: Vec<Id<Service>> = node.calls.iter().map(|call| call.service).collect();
    let hosts: Vec<Host> = called.iter().map(|id| route::service_host(scope, *id, None)).collect();
    for id in &called {
        cluster::reached(scope, *id, parts);
    }
    let hosts = hosts.into_iter().chain(egress::hosts(scope, parts)).collect();
    parts.routes(configuration(names::EGRESS_ROUTES, hosts));
    let chain = chain(scope, &called, names::EGRESS_ROUTES, parts);
    parts.listener(listener(Listener {
        name: names::EGRESS_LISTENER.to_owned(),
        host: scope.private(),
        port: EGRESS_PORT,
        side: Side::Outbound,
        chains: vec![plain(chain)],
    }));
}

/// What requests that go out meet, whatever listener took them.
pub(super) fn chain(scope: &Scope<'_>, called: &[Id<Service>], routes: &str, parts: &mut Parts) -> HttpChain {
    let mut chain = Chain::default();
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
