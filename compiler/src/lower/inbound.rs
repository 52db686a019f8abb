//! The ingress listener of a sidecar: from other sidecars to the application beside it.

use ::envoy::config::listener::v3::Listener as Message;

use super::policies::{self, Chain};
use super::scope::Scope;
use super::{INGRESS_PORT, Parts, authentication, cluster, fault, observability, route, tls};
use crate::checked::{Node, Serve};
use crate::envoy::http_filter::FilterOverrides;
use crate::envoy::listener::{Chain as Way, HttpChain, Listener, Side, listener, plain};
use crate::envoy::names;
use crate::envoy::route::{Host, configuration};
use crate::envoy::tls::inspector;

/// Nothing for a node that serves nothing.
pub(super) fn lower(scope: &Scope<'_>, node: &Node, parts: &mut Parts) {
    if node.serves.is_empty() {
        return;
    }
    let serves: Vec<&Serve> = node.serves.iter().collect();
    let accepted = tls::accept(scope, &serves, parts);
    let inspected = tls::is_inspected(&accepted);
    let mut chains = Vec::new();
    for (index, way) in accepted.into_iter().enumerate() {
        let routes =
            if index == 0 { names::INGRESS_ROUTES.to_owned() } else { format!("{}_{index}", names::INGRESS_ROUTES) };
        let http = chain(scope, &way.serves, &routes, parts);
        chains.push(Way {
            name: if inspected { routes } else { String::new() },
            when: way.when,
            tls: way.tls,
            ..plain(http)
        });
    }
    let message = listener(Listener {
        name: names::INGRESS_LISTENER.to_owned(),
        host: scope.public(),
        port: INGRESS_PORT,
        side: Side::Inbound,
        chains,
    });
    let inspectors = inspected.then(inspector).into_iter().collect();
    parts.listener(Message { listener_filters: inspectors, ..message });
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
        let past = chain.past_checks.remove(&owner).unwrap_or_default();
        host(scope, serve, chain.overrides.remove(&owner).unwrap_or_default(), past)
    });
    parts.routes(configuration(routes, hosts.collect()));
    HttpChain {
        routes: routes.to_owned(),
        filters: chain.filters,
        access_log: observability::access_log(scope),
        tracing: observability::tracing(scope, parts),
    }
}

fn host(scope: &Scope<'_>, serve: &Serve, overrides: FilterOverrides, past_checks: FilterOverrides) -> Host {
    let service = scope.mesh.service(serve.service);
    let checks = route::health_check(service, past_checks);
    let routes = checks.into_iter().chain([route::to_application(service)]).collect();
    Host { overrides, ..Host::new(service.name.key(), route::domains(service), routes) }
}
