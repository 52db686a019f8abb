//! What is encrypted, and whom certificates prove.

mod secrets;

use std::collections::BTreeSet;

use ::envoy::config::core::v3::TransportSocket;
use ::envoy::config::listener::v3::FilterChainMatch;
use spec::mesh::{TlsMode, TlsVersion};

use super::Parts;
use super::scope::Scope;
use crate::checked::{Certificate, ClientTls, Id, Proxy, Serve, ServerTls, Service, Trust};
use crate::envoy::tls::{Encryption, downstream, encrypted, unencrypted, upstream};

/// Of HTTP, the newest first: the caller chooses.
const HTTP: &[&str] = &["h2", "http/1.1"];

/// Connections to a sidecar that are accepted in one way.
pub(super) struct Accepted<'a> {
    pub when: FilterChainMatch,
    /// `None`: not encrypted.
    pub tls: Option<TransportSocket>,
    /// The services that accept connections so. A connection reaches no other, whatever its requests say. Never empty.
    pub serves: Vec<&'a Serve>,
}

/// How the services behind one port of a sidecar accept connections. Where there is more than one way, the listener
/// looks for TLS.
pub(super) fn accept<'a>(scope: &Scope<'_>, serves: &[&'a Serve], parts: &mut Parts) -> Vec<Accepted<'a>> {
    let mut open: Vec<&Serve> = Vec::new();
    let mut ways: Vec<(TransportSocket, Vec<&Serve>)> = Vec::new();
    for &serve in serves {
        let service = scope.mesh.service(serve.service);
        if service.tls.as_ref().is_none_or(|tls| tls.mode == TlsMode::Permissive) {
            open.push(serve);
        }
        let Some(tls) = &service.tls else { continue };
        let socket = of_service(scope, service, tls, parts);
        match ways.iter_mut().find(|(known, _)| *known == socket) {
            Some((_, serves)) => serves.push(serve),
            None => ways.push((socket, vec![serve])),
        }
    }
    let only_open = ways.is_empty();
    let only_one = ways.len() == 1;
    let mut accepted: Vec<Accepted<'_>> = Vec::new();
    let groups: Vec<&[&Serve]> = ways.iter().map(|(_, serves)| serves.as_slice()).collect();
    let names = server_names_apart(scope, &groups);
    for ((socket, serves), names) in ways.into_iter().zip(names) {
        let when = match (only_one, open.is_empty()) {
            (true, true) => FilterChainMatch::default(),
            (true, false) => encrypted(Vec::new()),
            (false, _) => encrypted(names),
        };
        accepted.push(Accepted { when, tls: Some(socket), serves });
    }
    if !open.is_empty() {
        let when = if only_open { FilterChainMatch::default() } else { unencrypted() };
        accepted.push(Accepted { when, tls: None, serves: open });
    }
    accepted
}

/// How a port of a gateway accepts connections. `shown` is a host's own certificate, in place of the port's.
pub(super) fn of_gateway(
    scope: &Scope<'_>,
    name: &str,
    tls: &ServerTls,
    shown: Option<&Certificate>,
    is_http: bool,
    parts: &mut Parts,
) -> TransportSocket {
    server(scope, &identity(scope, name), tls, shown.or(tls.certificate.as_ref()), is_http, parts)
}

/// How this proxy connects to a service; `None`: not encrypted.
pub(super) fn client(scope: &Scope<'_>, service: Id<Service>, parts: &mut Parts) -> Option<TransportSocket> {
    let called = scope.mesh.service(service);
    let said = match scope.call(service).and_then(|call| call.client_tls.as_ref()) {
        Some(own) => own.as_ref(),
        None => called.client_tls.as_ref(),
    };
    let tls = said.filter(|tls| is_encrypted(called, tls))?;
    let sni = tls.sni.clone().unwrap_or_else(|| called.name.key());
    let trust = tls.server.as_ref().and_then(|server| server.trust.as_ref());
    let encryption = Encryption {
        certificate: tls
            .certificate
            .as_ref()
            .map(|certificate| secrets::certificate(scope, certificate, &own_identity(scope), parts)),
        peer_names: peer_names(scope, called, tls, &sni),
        trust: trust.map(|trust| secrets::trust(scope, trust, parts)),
        alpn: match (called.is_http(), called.is_http2()) {
            (false, _) => &[],
            (true, true) => &["h2"],
            (true, false) => &["http/1.1"],
        },
        oldest: tls.min_version,
        newest: TlsVersion::Tls13,
    };
    Some(upstream(encryption, sni))
}

/// The SPIFFE identity of whoever has this name in the mesh.
pub(super) fn identity(scope: &Scope<'_>, name: &str) -> String {
    format!("spiffe://{}/{name}", scope.mesh.trust_domain())
}

/// A sidecar calls as the service that its node serves, the first of several; without one, and for a gateway, it calls
/// under its own name.
fn own_identity(scope: &Scope<'_>) -> String {
    let served = match scope.proxy {
        Proxy::Node(id) => scope.mesh.node(id).serves.first(),
        Proxy::Gateway(_) => None,
    };
    let name = match served {
        Some(serve) => &scope.mesh.service(serve.service).name,
        None => scope.mesh.proxy_name(scope.proxy),
    };
    identity(scope, name.as_str())
}

/// A service shows its own certificate, whatever else its node serves.
fn of_service(scope: &Scope<'_>, service: &Service, tls: &ServerTls, parts: &mut Parts) -> TransportSocket {
    let identity = identity(scope, service.name.as_str());
    server(scope, &identity, tls, tls.certificate.as_ref(), service.is_http(), parts)
}

fn server(
    scope: &Scope<'_>,
    identity: &str,
    tls: &ServerTls,
    shown: Option<&Certificate>,
    is_http: bool,
    parts: &mut Parts,
) -> TransportSocket {
    let trust = tls.client.as_ref().and_then(|client| client.trust.as_ref());
    downstream(Encryption {
        certificate: shown.map(|certificate| secrets::certificate(scope, certificate, identity, parts)),
        trust: trust.map(|trust| secrets::trust(scope, trust, parts)),
        peer_names: tls.client.iter().flat_map(|client| client.subject_alt_names.clone()).collect(),
        alpn: if is_http { HTTP } else { &[] },
        oldest: tls.min_version,
        newest: tls.max_version,
    })
}

/// `permissive` calls as the service accepts; `ports` are those of the service.
fn is_encrypted(service: &Service, tls: &ClientTls) -> bool {
    let mut ports = service.port.into_iter().chain(service.endpoints.iter().map(|endpoint| endpoint.address.port));
    let takes = tls.ports.is_empty() || ports.any(|port| tls.ports.contains(&port));
    takes && (tls.mode == TlsMode::Strict || service.tls.is_some())
}

/// What the service's certificate must name: as said; else, where the mesh's provider gives it, the service's identity;
/// else the server name.
fn peer_names(scope: &Scope<'_>, service: &Service, tls: &ClientTls, sni: &str) -> Vec<String> {
    let Some(server) = &tls.server else { return Vec::new() };
    match server.trust {
        _ if !server.subject_alt_names.is_empty() => server.subject_alt_names.clone(),
        Some(Trust::Provider(_)) => vec![identity(scope, service.name.as_str())],
        Some(Trust::File(_) | Trust::Sds { .. }) => vec![sni.to_owned()],
        None => Vec::new(),
    }
}

/// Whatever callers ask for when they mean a service of each group; a name that several groups would have is the first
/// one's, but a service's own name is always its own. Never empty for a group that is not.
pub(super) fn server_names_apart(scope: &Scope<'_>, groups: &[&[&Serve]]) -> Vec<Vec<String>> {
    let key = |serve: &&Serve| scope.mesh.service(serve.service).name.key();
    let mut taken: BTreeSet<String> = groups.iter().copied().flatten().map(key).collect();
    let of_group = |serves: &&[&Serve]| {
        let own: Vec<String> = serves.iter().map(key).collect();
        let names = server_names(scope, serves).into_iter();
        names.filter(|name| own.contains(name) || taken.insert(name.clone())).collect()
    };
    groups.iter().map(of_group).collect()
}

/// Whatever callers ask for when they mean one of these services.
fn server_names(scope: &Scope<'_>, serves: &[&Serve]) -> Vec<String> {
    let mesh = scope.mesh;
    let calls = mesh.nodes.iter().flat_map(|node| &node.calls);
    let calls: Vec<_> = calls.chain(mesh.gateways.iter().flat_map(|gateway| &gateway.calls)).collect();
    let mut names: Vec<String> = Vec::new();
    for serve in serves {
        let service = mesh.service(serve.service);
        names.push(service.name.key());
        let called = calls.iter().filter(|call| call.service == serve.service);
        let own = called.filter_map(|call| call.client_tls.as_ref().and_then(Option::as_ref));
        let said = own.chain(&service.client_tls).filter_map(|tls| tls.sni.as_ref());
        names.extend(said.map(|sni| sni.to_ascii_lowercase()));
    }
    names.sort();
    names.dedup();
    names
}
