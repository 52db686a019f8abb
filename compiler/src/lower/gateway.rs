//! The listeners of a gateway: from the outside world into the mesh.

use std::collections::BTreeMap;
use std::time::Duration;

use ::envoy::config::core::v3::TransportSocket;
use ::envoy::config::listener::v3::FilterChainMatch;
use spec::mesh::{Protocol, TlsMode};

use super::policies::{self, Chain};
use super::scope::Scope;
use super::{Parts, authentication, cluster, outbound, route, tcp, tls};
use crate::checked::{Certificate, Gateway, GatewayHost, Id, Listener as Port, Service};
use crate::envoy::http_filter::forwarded;
use crate::envoy::listener::{Chain as Way, Edge, HttpChain, Listener, Side, Speaks, listener, plain};
use crate::envoy::names;
use crate::envoy::route::{Host, configuration};
use crate::envoy::tls::{encrypted, unencrypted};

pub(super) fn lower(scope: &Scope<'_>, gateway: &Gateway, parts: &mut Parts) {
    let called: Vec<Id<Service>> = gateway.calls.iter().map(|call| call.service).collect();
    for id in &called {
        cluster::reached(scope, *id, parts);
    }
    for route in gateway.hosts.iter().flat_map(|host| &host.routes) {
        cluster::of_route(scope, route, parts);
    }
    for port in &gateway.listen {
        let chains = match port.protocol {
            Protocol::Tcp => bytes(scope, gateway, port, parts),
            Protocol::Http | Protocol::Http2 | Protocol::Grpc => requests(scope, gateway, &called, port, parts),
        };
        parts.listener(listener(Listener {
            name: names::gateway_listener(gateway, port.port),
            host: scope.public(),
            port: port.port,
            side: Side::Edge(edge(gateway, port)),
            chains,
        }));
    }
}

fn edge(gateway: &Gateway, port: &Port) -> Edge {
    let speaks = match port.protocol {
        Protocol::Http2 | Protocol::Grpc => Speaks::Http2,
        Protocol::Http | Protocol::Tcp => Speaks::Any,
    };
    Edge {
        trusted_hops: gateway.trusted_hops,
        idle_timeout: gateway.idle_timeout.filter(|timeout| *timeout != DEFAULT_IDLE_TIMEOUT),
        speaks,
    }
}

/// Of a stream on which nothing happens: Envoy's own, which need not be said.
const DEFAULT_IDLE_TIMEOUT: Duration = Duration::from_secs(300);

/// Everything goes to the port's own targets.
fn bytes(scope: &Scope<'_>, gateway: &Gateway, port: &Port, parts: &mut Parts) -> Vec<Way> {
    for target in &port.targets {
        cluster::remote(scope, target.to, parts);
        cluster::reached(scope, target.to.service, parts);
    }
    ways(scope, gateway, port, parts)
        .into_iter()
        .map(|way| Way {
            name: way.name,
            when: way.when,
            tls: way.tls,
            ..Way::bytes(tcp::to_targets(scope, gateway, port))
        })
        .collect()
}

/// Hosts, and services by their names; the same whatever certificate was shown.
fn requests(scope: &Scope<'_>, gateway: &Gateway, called: &[Id<Service>], port: &Port, parts: &mut Parts) -> Vec<Way> {
    let by_name = called.iter().map(|id| route::service_host(scope, *id, Some(port.port)));
    let by_host = hosts(gateway, port.port).map(|host| route::outside::host(scope, gateway, host, Some(port.port)));
    let hosts: Vec<Host> = by_name.chain(by_host).collect();
    let routes = names::gateway_routes(gateway, port.port);
    parts.routes(configuration(&routes, hosts));
    let http = chain(scope, gateway, called, &routes, parts);
    ways(scope, gateway, port, parts)
        .into_iter()
        .map(|way| Way { name: way.name, when: way.when, tls: way.tls, ..plain(http.clone()) })
        .collect()
}

/// The hosts of a port. One that names the port goes before one of the same name that names none.
fn hosts(gateway: &Gateway, port: u16) -> impl Iterator<Item = &GatewayHost> {
    let here = move |host: &GatewayHost| host.port.is_none_or(|said| said == port);
    let named = move |pattern: &str| gateway.hosts.iter().any(|it| it.port == Some(port) && it.pattern == pattern);
    gateway.hosts.iter().filter(move |host| here(host) && (host.port.is_some() || !named(&host.pattern)))
}

/// In which ways connections to a port are accepted.
struct Accepted {
    name: String,
    when: FilterChainMatch,
    tls: Option<TransportSocket>,
}

/// Who asks for a host by name (SNI) is shown that host's certificate; everybody else the port's own, and without one
/// is refused.
fn ways(scope: &Scope<'_>, gateway: &Gateway, port: &Port, parts: &mut Parts) -> Vec<Accepted> {
    let Some(said) = &port.tls else {
        return vec![Accepted { name: String::new(), when: FilterChainMatch::default(), tls: None }];
    };
    let is_http = port.protocol != Protocol::Tcp;
    let name = gateway.name.as_str();
    let mut by_certificate: BTreeMap<&Certificate, Vec<String>> = BTreeMap::new();
    for host in hosts(gateway, port.port).filter(|_| is_http) {
        if let Some(certificate) = host.certificate.as_ref().filter(|_| is_server_name(&host.pattern)) {
            by_certificate.entry(certificate).or_default().push(host.pattern.clone());
        }
    }
    let mut ways = Vec::new();
    for (certificate, names) in by_certificate {
        let chain = names.first().map(|first| format!("tls-{first}")).unwrap_or_default();
        let tls = tls::of_gateway(scope, name, said, Some(certificate), is_http, parts);
        ways.push(Accepted { name: chain, when: encrypted(names), tls: Some(tls) });
    }
    let everybody = hosts(gateway, port.port).find(|host| host.pattern == "*");
    let own = everybody.and_then(|host| host.certificate.as_ref()).filter(|_| is_http).or(said.certificate.as_ref());
    if let Some(certificate) = own {
        let permissive = said.mode == TlsMode::Permissive;
        let when = match ways.is_empty() && !permissive {
            true => FilterChainMatch::default(),
            false => encrypted(Vec::new()),
        };
        let tls = tls::of_gateway(scope, name, said, Some(certificate), is_http, parts);
        ways.push(Accepted { name: "tls".to_owned(), when, tls: Some(tls) });
    }
    if said.mode == TlsMode::Permissive {
        ways.push(Accepted { name: "plain".to_owned(), when: unencrypted(), tls: None });
    }
    ways
}

/// Whether a client can ask for it before it is shown a certificate: not for `*`, nor for `shop.*`.
fn is_server_name(pattern: &str) -> bool {
    pattern.strip_prefix("*.").unwrap_or(pattern).chars().all(|letter| letter != '*')
}

/// What every request meets, whatever its host and path.
fn chain(scope: &Scope<'_>, gateway: &Gateway, called: &[Id<Service>], routes: &str, parts: &mut Parts) -> HttpChain {
    let policies = policies::of_gateway(scope, gateway);
    let mut chain = Chain::default();
    // Those in front write down whom they speak for.
    chain.add_for_all((gateway.trusted_hops == 0).then(forwarded::set_anew));
    authentication::passwords(scope, std::slice::from_ref(&policies), &mut chain);
    policies::lower(scope, &policies, &mut chain, parts);
    chain.filters.extend(route::header_routing::filters(scope, called));
    outbound::chain(scope, called, chain.filters, routes, parts)
}
