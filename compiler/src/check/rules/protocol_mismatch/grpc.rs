//! gRPC needs a service that speaks it: over HTTP/1.1 there are no trailers, and so no status of gRPC.

use spec::mesh::{Callee, HealthCheckProtocol, Protocol, Retry, RetryCondition, Route, Service};
use spec::{Diagnostics, Mesh, Name, Span};

use super::super::super::tables::Tables;
use super::super::everywhere::external_auths;
use super::super::{protocols, routes};
use super::mismatch;

pub(super) fn check(mesh: &Mesh, tables: &Tables, diagnostics: &mut Diagnostics) {
    let http = |name: &Name| protocols::service(mesh, tables, name).filter(|it| protocols::of(it) == Protocol::Http);
    let says = |route: &&Route| route.matches.grpc.is_some() || route.retry.is_some() || route.websocket.is_some();
    for route in routes(mesh).filter(says) {
        let of_http = route.targets().iter().find_map(|target| http(&target.service.value));
        if let (Some(service), Some(grpc)) = (of_http, &route.matches.grpc) {
            refuse("a gRPC match", grpc.service.span, service, diagnostics);
        }
        if let (Some(service), Some(retry)) = (of_http, &route.retry) {
            words(retry, service, diagnostics);
        }
        let find = |name| protocols::service(mesh, tables, name).filter(|it| protocols::of(it) == Protocol::Grpc);
        let of_grpc = route.targets().iter().find_map(|target| find(&target.service.value));
        if let (Some(service), Some(websocket)) = (of_grpc, route.websocket.as_ref().filter(|it| it.value)) {
            diagnostics.push(
                mismatch(websocket.span, format!("`{}` speaks `grpc`, which has no WebSockets", service.name.value))
                    .label("an upgrade would reach a server that does not know it")
                    .related(service.name.span, "the service")
                    .help("delete `websocket`"),
            );
        }
    }
    for service in mesh.services.iter().filter(|service| protocols::of(service) == Protocol::Http) {
        if let Some(retry) = &service.retry {
            words(retry, service, diagnostics);
        }
    }
    for service in mesh.services.iter().filter(|service| !speaks_http2(service)) {
        if protocols::of(service) == Protocol::Tcp && service.health_check.is_some() {
            continue; // No question by requests suits it: `policies` says so.
        }
        let check = service.health_check.as_deref().or(mesh.defaults.health_check.as_ref());
        let protocol = check.and_then(|check| check.protocol.as_ref());
        // Envoy refuses it whatever port is asked: a cluster has one protocol.
        if let Some(protocol) = protocol.filter(|it| it.value == HealthCheckProtocol::Grpc) {
            refuse("a gRPC health check", protocol.span, service, diagnostics);
        }
    }
    let calls = mesh.nodes.iter().flat_map(|node| &node.calls);
    for call in calls.chain(mesh.gateways.iter().flat_map(|gateway| &gateway.calls)) {
        let Callee::Service(name) = &call.service.value else { continue };
        if let (Some(service), Some(retry)) = (http(name), &call.retry) {
            words(retry, service, diagnostics);
        }
    }
    for auth in external_auths(mesh) {
        let grpc = auth.grpc.as_ref().filter(|grpc| grpc.value);
        if let (Some(grpc), Some(service)) = (grpc, http(&auth.service.value)) {
            refuse("a question over gRPC", grpc.span, service, diagnostics);
        }
    }
}

fn speaks_http2(service: &Service) -> bool {
    matches!(protocols::of(service), Protocol::Http2 | Protocol::Grpc)
}

fn words(retry: &Retry, service: &Service, diagnostics: &mut Diagnostics) {
    let word = retry.on.iter().find(|word| {
        matches!(
            word.value,
            RetryCondition::Cancelled
                | RetryCondition::DeadlineExceeded
                | RetryCondition::Internal
                | RetryCondition::ResourceExhausted
                | RetryCondition::Unavailable
        )
    });
    if let Some(word) = word {
        refuse("a status of gRPC", word.span, service, diagnostics);
    }
}

fn refuse(what: &str, span: Span, service: &Service, diagnostics: &mut Diagnostics) {
    let place = service.protocol.as_ref().map_or(service.name.span, |protocol| protocol.span);
    let speaks = protocols::word(protocols::of(service));
    diagnostics.push(
        mismatch(span, format!("{what} needs gRPC, and `{}` speaks `{speaks}`", service.name.value))
            .label("its answers never carry a status of gRPC")
            .related(place, "the service's protocol")
            .help("give the service `protocol \"grpc\"`"),
    );
}
