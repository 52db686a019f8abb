//! The ingress listener of a sidecar: from other sidecars to the application beside it.

use ::envoy::config::listener::v3::FilterChainMatch;
use ::envoy::config::route::v3::RouteConfiguration;

use policy::FAULT_CONTROL_HEADERS;

use super::policies::{self, Chain};
use super::scope::Scope;
use super::tls::Accepted;
use super::{INGRESS_PORT, Parts, authentication, authorization, cluster, observability, route, tcp, tls};
use crate::checked::{Id, Node, Serve, Service};
use crate::envoy::http_filter::FilterOverrides;
use crate::envoy::listener::{Chain as Way, HttpChain, Listener, Serves, Side, listener};
use crate::envoy::names;
use crate::envoy::route::edits::Edits;
use crate::envoy::route::{Host, configuration};
use crate::envoy::tls::encrypted;

/// Nothing for a node that serves nothing.
pub(super) fn lower(scope: &Scope<'_>, node: &Node, parts: &mut Parts) {
    if node.serves.is_empty() {
        return;
    }
    let serves = in_order(scope, node);
    let entrance = Entrance { routes: names::INGRESS_ROUTES.to_owned(), port: None, hosts: Hosts::Known };
    let chains = chains(scope, &serves, &entrance, parts);
    parts.listener(listener(Listener {
        name: names::INGRESS_LISTENER.to_owned(),
        host: scope.public(),
        port: INGRESS_PORT,
        side: Side::Inbound,
        chains,
    }));
    for serve in serves {
        cluster::local(scope, serve, parts);
    }
}

/// What a node serves, by name: the order of the source means nothing to those who call.
pub(super) fn in_order<'a>(scope: &Scope<'_>, node: &'a Node) -> Vec<&'a Serve> {
    let mut serves: Vec<&Serve> = node.serves.iter().collect();
    serves.sort_by_cached_key(|serve| scope.mesh.service(serve.service).name.key());
    serves
}

/// Where connections to services of a node arrive.
pub(super) struct Entrance {
    /// The name of its first route table.
    pub routes: String,
    /// Connections to this port only.
    pub port: Option<u16>,
    pub hosts: Hosts,
}

/// By which `Host` services are called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hosts {
    /// By their names.
    Known,
    /// By whatever one: there is a single service.
    Any,
}

/// One chain for each way in which connections are accepted, and for each service that speaks bytes.
pub(super) fn chains(scope: &Scope<'_>, serves: &[&Serve], entrance: &Entrance, parts: &mut Parts) -> Vec<Way> {
    let ways = told_apart(scope, tls::accept(scope, serves, parts));
    let several = ways.len() > 1 || entrance.port.is_some();
    // Who may call in several ways, as `permissive` lets them, meets the same routes in each.
    let mut tables: Vec<(Vec<Id<Service>>, String)> = Vec::new();
    let mut chains = Vec::new();
    for way in ways {
        let Some(first) = way.serves.first() else { continue };
        let service = scope.mesh.service(first.service);
        let (filters, serves) = if service.is_http() {
            let ids: Vec<Id<Service>> = way.serves.iter().map(|serve| serve.service).collect();
            let known = tables.iter().find(|(services, _)| *services == ids).map(|(_, name)| name.clone());
            let name = known.clone().unwrap_or_else(|| match tables.is_empty() {
                true => entrance.routes.clone(),
                false => names::further_routes(&entrance.routes, service),
            });
            let (http, routes) = requests(scope, &way.serves, entrance.hosts, name.clone(), parts);
            if known.is_none() {
                parts.routes(routes);
                tables.push((ids, name));
            }
            (Vec::new(), Serves::Http(Box::new(http)))
        } else {
            let access = authorization::network(scope, service).into_iter().collect();
            (access, Serves::Tcp(Box::new(tcp::to_application(scope, first))))
        };
        let encryption = if way.tls.is_some() { "tls" } else { "plain" };
        let place = entrance.port.map(|port| format!("-{port}")).unwrap_or_default();
        chains.push(Way {
            name: if several { format!("{}{place}-{encryption}", service.name.key()) } else { String::new() },
            when: FilterChainMatch { destination_port: entrance.port.map(u32::from), ..way.when },
            tls: way.tls,
            filters,
            serves,
        });
    }
    chains
}

/// A service that speaks bytes has a chain to itself: over TLS by its names, else because it is the only one.
fn told_apart<'a>(scope: &Scope<'_>, ways: Vec<Accepted<'a>>) -> Vec<Accepted<'a>> {
    let mut apart = Vec::new();
    for way in ways {
        if way.serves.len() < 2 {
            apart.push(way);
            continue;
        }
        let (http, bytes): (Vec<&Serve>, Vec<&Serve>) =
            way.serves.into_iter().partition(|serve| scope.mesh.service(serve.service).is_http());
        let groups: Vec<&[&Serve]> = bytes.iter().map(std::slice::from_ref).chain([http.as_slice()]).collect();
        let mut names = tls::server_names_apart(scope, &groups);
        names.truncate(bytes.len());
        // Another way may have taken a name.
        let here = |name: &String| way.when.server_names.is_empty() || way.when.server_names.contains(name);
        names.iter_mut().for_each(|names| names.retain(here));
        if way.tls.is_some() {
            apart.extend(bytes.into_iter().zip(&names).map(|(serve, names)| Accepted {
                when: encrypted(names.clone()),
                tls: way.tls.clone(),
                serves: vec![serve],
            }));
        }
        if !http.is_empty() {
            let mut when = way.when;
            when.server_names.retain(|name| !names.iter().flatten().any(|taken| taken == name));
            apart.push(Accepted { when, tls: way.tls, serves: http });
        }
    }
    apart
}

/// What requests for some of a node's services meet, and their route table.
fn requests(
    scope: &Scope<'_>,
    serves: &[&Serve],
    hosts: Hosts,
    routes: String,
    parts: &mut Parts,
) -> (HttpChain, RouteConfiguration) {
    let authorities = |serve: &Serve| match hosts {
        Hosts::Known => route::domains(scope.mesh.service(serve.service)),
        Hosts::Any => Vec::new(),
    };
    let all: Vec<_> = serves.iter().map(|serve| policies::of_service(scope, serve, authorities(serve))).collect();
    let mut chain = Chain::default();
    authentication::passwords(scope, &all, &mut chain);
    for policies in &all {
        policies::lower(scope, policies, &mut chain, parts);
    }
    let virtual_hosts = serves.iter().map(|serve| {
        let owner = scope.mesh.service(serve.service).name.key();
        let overrides = chain.overrides.remove(&owner).unwrap_or_default();
        let past_checks = chain.past_checks.remove(&owner).unwrap_or_default();
        let faults = chain.faults.remove(&owner).unwrap_or_default();
        host(scope, serve, authorities(serve), Filters { overrides, past_checks, faults })
    });
    let table = configuration(&routes, virtual_hosts.collect());
    let http = HttpChain {
        routes,
        filters: chain.filters,
        access_log: observability::access_log(scope),
        tracing: observability::tracing(scope, parts),
    };
    (http, table)
}

/// What a service's virtual host says of the filters, and what its routes do.
struct Filters {
    overrides: FilterOverrides,
    past_checks: FilterOverrides,
    faults: FilterOverrides,
}

/// `authorities` are none where every request is for this service.
fn host(scope: &Scope<'_>, serve: &Serve, authorities: Vec<String>, filters: Filters) -> Host {
    let service = scope.mesh.service(serve.service);
    let Filters { overrides, past_checks, faults } = filters;
    // Who may ask for faults asks this service, and none behind it.
    let asked = if faults.is_empty() { &[][..] } else { &FAULT_CONTROL_HEADERS };
    let remove = asked.iter().map(|header| (*header).to_owned()).collect();
    let checks = route::health_check(service, past_checks);
    let routes = checks.into_iter().chain(route::without_faults(service, faults));
    let routes = routes.chain([route::to_application(service)]).collect();
    let domains = if authorities.is_empty() { vec!["*".to_owned()] } else { authorities };
    let request_headers = Edits { remove, ..Edits::default() };
    Host { overrides, request_headers, ..Host::new(service.name.key(), domains, routes) }
}
