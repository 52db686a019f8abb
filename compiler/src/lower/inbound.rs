//! The ingress listener of a sidecar: from other sidecars to the application beside it.

use super::policies::{self, Chain};
use super::scope::Scope;
use super::{INGRESS_PORT, Parts, authentication, cluster, fault, observability, route};
use crate::checked::{Node, Serve};
use crate::envoy::http_filter::FilterOverrides;
use crate::envoy::listener::{HttpChain, Listener, Side, listener, plain};
use crate::envoy::names;
use crate::envoy::route::{Host, configuration};

/// Nothing for a node that serves nothing.
pub(super) fn lower(scope: &Scope<'_>, node: &Node, parts: &mut Parts) {
    if node.serves.is_empty() {
        return;
    }
    let serves: Vec<&Serve> = node.serves.iter().collect();
    let chain = chain(scope, &serves, names::INGRESS_ROUTES, parts);
    parts.listener(listener(Listener {
        name: names::INGRESS_LISTENER.to_owned(),
        host: scope.public(),
        port: INGRESS_PORT,
        side: Side::Inbound,
        chains: vec![plain(chain)],
    }));
    for serve in serves {
        cluster::local(scope, serve, parts);
    }
}

/// What requests for some of a node's services meet; their routes are added to the parts under this name.
fn chain(scope: &Scope<'_>, serves: &[&Serve], routes: &str, parts: &mut Parts) -> HttpChain {
    let all: Vec<_> = serves
        .iter()
        .map(|serve| policies::of_service(scope, serve, route::domains(scope.mesh.service(serve.service))))
        .collect();
    let mut chain = Chain::default();
    authentication::passwords(scope, &all, &mut chain);
    fault::ours(scope, &all, &mut chain);
    for policies in &all {
        policies::lower(scope, policies, &mut chain, parts);
    }
    let hosts = serves.iter().map(|serve| {
        let owner = scope.mesh.service(serve.service).name.key();
        host(scope, serve, chain.overrides.remove(&owner).unwrap_or_default())
    });
    parts.routes(configuration(routes, hosts.collect()));
    HttpChain {
        routes: routes.to_owned(),
        filters: chain.filters,
        access_log: observability::access_log(scope),
        tracing: observability::tracing(scope, parts),
    }
}

fn host(scope: &Scope<'_>, serve: &Serve, overrides: FilterOverrides) -> Host {
    let service = scope.mesh.service(serve.service);
    Host { overrides, ..Host::new(service.name.key(), route::domains(service), vec![route::to_application(service)]) }
}
