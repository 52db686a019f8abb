//! Nothing leads to instance metadata, task credentials, or the sidecar's own ports.

use spec::mesh::{Address, HostRewrite, JwtKeys, ProviderSource, RouteAction, SinkServer, WasmModuleSource};
use spec::{Diagnostic, Diagnostics, Mesh, Span, codes};

use super::super::hosts::{self, Kind};
use super::super::tables::Tables;
use super::{everywhere, routes};
use crate::lower::{ADMIN_PORT, EGRESS_PORT, INGRESS_PORT, PROMETHEUS_PORT};

pub(super) fn check(mesh: &Mesh, _: &Tables, diagnostics: &mut Diagnostics) {
    let callers = mesh.services.iter().flat_map(|service| &service.endpoints);
    let upstreams = mesh.nodes.iter().flat_map(|node| &node.serves).flat_map(|serve| &serve.upstreams);
    for endpoint in callers.chain(upstreams) {
        let Address { host, port } = endpoint.address.value;
        if let Some(reason) = beside(hosts::of_address(host), port) {
            let message = format!("`{}` cannot be an endpoint", endpoint.address.value);
            diagnostics.push(
                Diagnostic::error(codes::FORBIDDEN_ADDRESS, endpoint.address.span, message)
                    .label(reason)
                    .help("name the address at which the application itself listens"),
            );
        }
    }
    let checks = mesh.services.iter().filter_map(|service| service.health_check.as_deref());
    for port in mesh.defaults.health_check.iter().chain(checks).filter_map(|check| check.port.as_ref()) {
        if let Some(reason) = beside(Kind::Loopback, port.value) {
            let message = format!("port `{}` cannot be asked how the application is", port.value);
            diagnostics.push(
                Diagnostic::error(codes::FORBIDDEN_ADDRESS, port.span, message)
                    .label(reason)
                    .help("name the port at which the application itself answers"),
            );
        }
    }
    for said in dialled(mesh) {
        let kind = hosts::kind(&said.host);
        let reason = match said.from {
            From::Beside(port) => beside(kind, port),
            From::Elsewhere => elsewhere(kind),
            From::Nowhere => (kind == Kind::Metadata).then_some(METADATA),
        };
        if let Some(reason) = reason {
            let message = format!("`{}` cannot be {}", spec::diagnostic::quote(&said.host), said.what);
            diagnostics.push(
                Diagnostic::error(codes::FORBIDDEN_ADDRESS, said.span, message)
                    .label(reason)
                    .help("name a host that is meant for this"),
            );
        }
    }
}

const METADATA: &str = "instance metadata and task credentials live here";

/// A host that somebody dials or is sent to.
struct Said {
    host: String,
    span: Span,
    what: &'static str,
    from: From,
}

/// Who dials.
enum From {
    /// The sidecar, perhaps to a container beside it, at this port.
    Beside(u16),
    /// Somebody to whom loopback is another machine than the writer has in mind.
    Elsewhere,
    /// Nobody: it only stands in the request.
    Nowhere,
}

/// On loopback an application or a collector may listen beside the sidecar, apart from the sidecar's own ports.
fn beside(kind: Kind, port: u16) -> Option<&'static str> {
    match kind {
        Kind::Loopback if port == ADMIN_PORT => Some("Envoy's administration listens here"),
        Kind::Loopback if [INGRESS_PORT, EGRESS_PORT, PROMETHEUS_PORT].contains(&port) => {
            Some("the sidecar itself listens here: requests would run in a circle")
        }
        Kind::Loopback => None,
        kind => elsewhere(kind),
    }
}

fn elsewhere(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Metadata => Some(METADATA),
        Kind::Loopback => Some("on loopback everybody meets but himself"),
        Kind::LinkLocal => Some("link-local addresses are not reachable through a proxy"),
        Kind::Nowhere => Some("nothing can be dialled here"),
        Kind::Ordinary => None,
    }
}

fn dialled(mesh: &Mesh) -> Vec<Said> {
    let mut found = Vec::new();
    let mut push = |host: &str, span, what, from| found.push(Said { host: host.to_owned(), span, what, from });
    for dns in mesh.services.iter().filter_map(|service| service.dns.as_ref()) {
        push(&dns.address.value.host, dns.address.span, "where a service runs", From::Elsewhere);
    }
    for log in everywhere::access_logs(mesh).filter_map(|log| log.otlp.as_ref()) {
        push(&log.value.host, log.span, "a collector", From::Beside(log.value.port));
    }
    for address in everywhere::tracings(mesh).filter_map(|tracing| tracing.address.as_ref()) {
        push(&address.value.host, address.span, "a collector", From::Beside(address.value.port));
    }
    for sink in everywhere::stats(mesh).flat_map(|stats| &stats.sinks) {
        let (SinkServer::Statsd(server) | SinkServer::DogStatsd(server) | SinkServer::Otlp(server)) =
            &sink.server.value;
        push(&server.host, sink.server.span, "a server for metrics", From::Beside(server.port));
    }
    for provider in &mesh.certificate_providers {
        if let ProviderSource::Address(server) = &provider.source.value {
            push(&server.host, provider.source.span, "an SDS server", From::Beside(server.port));
        }
    }
    for provider in &mesh.jwt_providers {
        if let JwtKeys::Url(url) = &provider.keys.value {
            push(host_of(url), provider.keys.span, "where keys are fetched", From::Elsewhere);
        }
    }
    for filter in &mesh.wasm_filters {
        if let WasmModuleSource::Url(url) = &filter.module.value {
            push(host_of(url), filter.module.span, "where a module is fetched", From::Elsewhere);
        }
    }
    for host in everywhere::egresses(mesh).flat_map(|egress| &egress.hosts) {
        push(&host.name.value, host.name.span, "an egress host", From::Elsewhere);
    }
    for route in routes(mesh) {
        if let RouteAction::Redirect(redirect) = &route.action.value
            && let Some(host) = &redirect.host
        {
            push(&host.value, host.span, "where callers are sent", From::Elsewhere);
        }
        let rewritten = route.rewrite.as_ref().and_then(|rewrite| rewrite.host.as_ref());
        if let Some((HostRewrite::Name(name), span)) = rewritten.map(|host| (&host.value, host.span)) {
            push(name, span, "the host of requests", From::Nowhere);
        }
    }
    found
}

/// The host of a URL, without its port.
fn host_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or("");
    match authority.split_once(']') {
        Some((address, _)) => address.trim_start_matches('['),
        None => authority.split(':').next().unwrap_or(""),
    }
}
