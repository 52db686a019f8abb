//! Connections of the application that it meant for somebody else.
//!
//! HTTP is told apart by `Host`, bytes by port and address, TLS of the application's own by server name. Envoy looks
//! for a chain by port, address, server name, protocol, in this order, and never goes back: so the chains of a port
//! that has one of its own are all said again for it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ::envoy::config::listener::v3::FilterChainMatch;
use spec::mesh::EgressPolicy;

use crate::checked::{Discovery, Id, Node, Service};
use crate::envoy::egress::Travel;
use crate::envoy::egress::refuse_dialled;
use crate::envoy::egress::refuse_resolved;
use crate::envoy::forward_proxy::{anywhere, by_server_name};
use crate::envoy::listener::{Chain, HttpChain, Listener, Serves, Side, listener, prefix_ranges};
use crate::envoy::names;
use crate::envoy::route::configuration;
use crate::envoy::tls::{encrypted, unencrypted};
use crate::lower::outbound::{chain, requests_to};
use crate::lower::scope::Scope;
use crate::lower::{Parts, egress, route, tcp};

/// The usual port of HTTP.
const HTTP: u16 = 80;

/// What is known of one port.
#[derive(Default)]
struct Port {
    /// Services that speak bytes there.
    bytes: Vec<Id<Service>>,
    /// Names outside the mesh that may be reached there.
    names: Vec<String>,
    /// Requests are sent there, too.
    requests: bool,
}

pub(super) fn lower(scope: &Scope<'_>, node: &Node, port: u16, parts: &mut Parts) {
    let called = requests_to(scope, node);
    let outside = egress::intercepted(scope, parts);
    let hosts = called.iter().map(|id| route::service_host(scope, *id, None)).chain(outside.hosts);
    parts.routes(configuration(names::INTERCEPTED_EGRESS_ROUTES, hosts.collect()));
    let by_header = route::header_routing::filters(scope, &called);
    let filters = by_header.into_iter().chain(outside.filters).collect();
    let http = chain(scope, &called, filters, names::INTERCEPTED_EGRESS_ROUTES, parts);
    let mut chains = Vec::new();
    for (number, port) in ports(scope, node, &called) {
        of_port(scope, number, &port, &http, parts, &mut chains);
    }
    chains.push(requests(None, &http));
    if everything_else(scope) {
        chains.push(passed(scope, "others", unencrypted()));
        chains.push(passed(scope, "others-tls", encrypted(Vec::new())));
    }
    parts.listener(listener(Listener {
        name: names::INTERCEPTED_EGRESS_LISTENER.to_owned(),
        host: scope.private(),
        port,
        side: Side::InterceptedOutbound,
        chains,
    }));
}

/// Ports of which something is said.
fn ports(scope: &Scope<'_>, node: &Node, called: &[Id<Service>]) -> BTreeMap<u16, Port> {
    let mut ports: BTreeMap<u16, Port> = BTreeMap::new();
    for id in node.calls.iter().map(|call| call.service) {
        let service = scope.mesh.service(id);
        if let (false, Some(port)) = (service.is_http(), service.port) {
            ports.entry(port).or_default().bytes.push(id);
        }
    }
    for listed in egress::listed(scope) {
        let port = ports.entry(listed.port).or_default();
        port.names.push(listed.name);
        port.requests = true;
    }
    let said = called.iter().filter_map(|id| scope.mesh.service(*id).port);
    let with_requests: BTreeSet<u16> = said.chain([HTTP]).collect();
    for (number, port) in &mut ports {
        port.requests |= with_requests.contains(number);
    }
    ports
}

fn of_port(scope: &Scope<'_>, number: u16, port: &Port, http: &HttpChain, parts: &mut Parts, chains: &mut Vec<Chain>) {
    let at = |when: FilterChainMatch| FilterChainMatch { destination_port: Some(u32::from(number)), ..when };
    let mut all_is_one_service = false;
    for id in &port.bytes {
        let addresses = addresses(scope.mesh.service(*id));
        all_is_one_service |= addresses.is_empty();
        let when = at(FilterChainMatch { prefix_ranges: prefix_ranges(&addresses), ..Default::default() });
        let name = format!("{}-{number}", scope.mesh.service(*id).name.key());
        chains.push(Chain { name, when, ..Chain::bytes(tcp::to_service(scope, *id)) });
    }
    if all_is_one_service {
        return;
    }
    if !port.requests {
        if everything_else(scope) {
            chains.push(passed(scope, &format!("others-{number}"), at(FilterChainMatch::default())));
        }
        return;
    }
    if !port.names.is_empty() {
        let forbidden = egress::forbidden(scope);
        parts.cluster(std::sync::Arc::new(anywhere(Travel::AsTheyCame, &forbidden)));
        chains.push(Chain {
            name: format!("listed-{number}"),
            when: at(encrypted(port.names.clone())),
            filters: vec![by_server_name(number), refuse_resolved(&forbidden)],
            ..Chain::bytes(tcp::to_outside(scope, names::EGRESS_ANYWHERE))
        });
    }
    chains.push(requests(Some(number), http));
    if everything_else(scope) {
        chains.push(passed(scope, &format!("others-{number}"), at(unencrypted())));
        chains.push(passed(scope, &format!("others-tls-{number}"), at(encrypted(Vec::new()))));
    }
}

/// Requests that are not encrypted.
fn requests(port: Option<u16>, http: &HttpChain) -> Chain {
    let protocols = ["http/1.0", "http/1.1", "h2c"].map(str::to_owned).into();
    Chain {
        name: port.map_or_else(|| "requests".to_owned(), |port| format!("requests-{port}")),
        when: FilterChainMatch {
            destination_port: port.map(u32::from),
            application_protocols: protocols,
            ..unencrypted()
        },
        tls: None,
        filters: Vec::new(),
        serves: Serves::Http(Box::new(http.clone())),
    }
}

/// Connections that go on to wherever they were going.
fn passed(scope: &Scope<'_>, name: &str, when: FilterChainMatch) -> Chain {
    Chain {
        name: name.to_owned(),
        when,
        filters: vec![refuse_dialled(&egress::forbidden(scope))],
        ..Chain::bytes(tcp::to_outside(scope, names::EGRESS_ORIGINAL))
    }
}

/// Whether connections to places of which nothing is said go on. Without, they are closed.
fn everything_else(scope: &Scope<'_>) -> bool {
    egress::policy(scope) == Some(EgressPolicy::AllowAll)
}

/// Where a service is known to be; empty: anywhere.
fn addresses(service: &Service) -> BTreeSet<IpAddr> {
    match service.discovery {
        Discovery::Said => service.endpoints.iter().map(|endpoint| endpoint.address.host).collect(),
        Discovery::Dns(_) | Discovery::Ecs(_) | Discovery::CloudMap(_) => BTreeSet::new(),
    }
}
