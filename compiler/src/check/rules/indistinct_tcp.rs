//! Bytes carry no name: where they arrive, one service at most may be meant.

use std::collections::BTreeMap;
use std::net::IpAddr;

use spec::mesh::{Call, Callee, Node, Protocol, Service, TlsMode};
use spec::{Diagnostic, Diagnostics, Mesh, Span, codes};

use super::super::tables::Tables;
use super::protocols;

pub(super) fn check(mesh: &Mesh, tables: &Tables, diagnostics: &mut Diagnostics) {
    for node in &mesh.nodes {
        served(mesh, tables, node, diagnostics);
        if node.transparent_proxy.is_some() {
            called(mesh, tables, node, diagnostics);
        }
    }
}

/// All services of a node are behind one port of its sidecar.
fn served(mesh: &Mesh, tables: &Tables, node: &Node, diagnostics: &mut Diagnostics) {
    let services =
        node.serves.iter().filter_map(|serve| Some((serve, protocols::service(mesh, tables, &serve.service.value)?)));
    let open: Vec<_> = services.filter(|(_, service)| accepts_anything(mesh, service)).collect();
    if open.len() < 2 {
        return;
    }
    let bytes = |service: &Service| protocols::of(service) == Protocol::Tcp;
    for (serve, service) in open.iter().filter(|(_, service)| bytes(service)) {
        let Some((other, _)) = open.iter().find(|(other, _)| other.service.span != serve.service.span) else {
            continue;
        };
        let name = &serve.service.value;
        let message = format!("the sidecar of `{}` cannot tell connections to `{name}` apart", node.name.value);
        diagnostics.push(
            Diagnostic::error(codes::INDISTINCT_TCP, serve.service.span, message)
                .label("it speaks `tcp`, without encryption that would name it")
                .related(other.service.span, "this arrives at the same port")
                .related(service.name.span, "the service")
                .help(format!("give `{name}` `tls`, or a node of its own")),
        );
    }
}

/// Connections that are taken are told apart by where they were going.
fn called(mesh: &Mesh, tables: &Tables, node: &Node, diagnostics: &mut Diagnostics) {
    let mut places: BTreeMap<(u16, Option<IpAddr>), &Service> = BTreeMap::new();
    for (service, span) in calls(mesh, tables, &node.calls) {
        let Some(port) = service.port.as_ref().filter(|_| protocols::of(service) == Protocol::Tcp) else { continue };
        let known: Vec<Option<IpAddr>> = match found_out(service) {
            true => vec![None],
            false => service.endpoints.iter().map(|endpoint| Some(endpoint.address.value.host)).collect(),
        };
        let other = known.iter().filter_map(|address| places.get(&(port.value, *address))).next();
        if let Some(other) = other {
            let (one, two) = (&other.name.value, &service.name.value);
            let message = format!("connections to port {} could be meant for `{one}` and for `{two}`", port.value);
            diagnostics.push(
                Diagnostic::error(codes::INDISTINCT_TCP, span, message)
                    .label(format!("node `{}` takes connections of its application", node.name.value))
                    .related(port.span, "this port")
                    .related(other.name.span, "the other service")
                    .help("give one of them another `port`, or call it by a `local-port` from another node"),
            );
            continue;
        }
        places.extend(known.into_iter().map(|address| ((port.value, address), service)));
    }
}

fn calls<'a>(mesh: &'a Mesh, tables: &Tables, calls: &'a [Call]) -> Vec<(&'a Service, Span)> {
    if let Some(span) = Call::all(calls) {
        return mesh.services.iter().map(|service| (service, span)).collect();
    }
    let mut seen = Vec::new();
    for call in calls {
        let Callee::Service(name) = &call.service.value else { continue };
        let Some(service) = protocols::service(mesh, tables, name) else { continue };
        if !seen.iter().any(|(known, _): &(&Service, Span)| known.name.span == service.name.span) {
            seen.push((service, call.service.span));
        }
    }
    seen
}

fn found_out(service: &Service) -> bool {
    service.dns.is_some() || service.ecs.is_some() || service.cloud_map.is_some() || service.endpoints.is_empty()
}

/// Connections without encryption are accepted.
fn accepts_anything(mesh: &Mesh, service: &Service) -> bool {
    let tls = service.tls.as_deref().or(mesh.defaults.tls.as_ref());
    let Some(tls) = tls else { return true };
    tls.mode.as_ref().is_some_and(|mode| mode.value != TlsMode::Strict)
}
