//! Connections to the application that never meant its sidecar: told apart by the port that was dialled.

use std::collections::BTreeMap;

use crate::checked::{Node, Proxy, Serve};
use crate::envoy::listener::{Listener, Side, listener};
use crate::envoy::names;
use crate::lower::Parts;
use crate::lower::inbound::{Entrance, Hosts, chains, in_order};
use crate::lower::scope::Scope;

/// Connections to other ports are closed.
pub(super) fn lower(scope: &Scope<'_>, node: &Node, port: u16, parts: &mut Parts) {
    let mut all = Vec::new();
    for (dialled, serves) in by_port(scope, node) {
        // Callers from outside the mesh have names of their own for the application.
        let hosts = if serves.len() == 1 { Hosts::Any } else { Hosts::Known };
        let entrance = Entrance { routes: names::intercepted_routes(dialled), port: Some(dialled), hosts };
        all.extend(chains(scope, &serves, &entrance, parts));
    }
    if all.is_empty() {
        return;
    }
    parts.listener(listener(Listener {
        name: names::INTERCEPTED_INGRESS_LISTENER.to_owned(),
        host: scope.public(),
        port,
        side: Side::InterceptedInbound,
        chains: all,
    }));
}

/// The ports of a node's applications: those of its endpoints, else those at which the sidecar finds them.
fn by_port<'a>(scope: &Scope<'_>, node: &'a Node) -> BTreeMap<u16, Vec<&'a Serve>> {
    let mut ports: BTreeMap<u16, Vec<&Serve>> = BTreeMap::new();
    for serve in in_order(scope, node) {
        let endpoints = scope.mesh.service(serve.service).endpoints.iter();
        let own = endpoints.filter(|endpoint| endpoint.node.is_some_and(|id| Proxy::Node(id) == scope.proxy));
        let mut dialled: Vec<u16> = own.map(|endpoint| endpoint.address.port).collect();
        if dialled.is_empty() {
            dialled.extend(serve.upstreams.iter().map(|upstream| upstream.address.port));
        }
        dialled.sort_unstable();
        dialled.dedup();
        for port in dialled {
            ports.entry(port).or_default().push(serve);
        }
    }
    ports
}
