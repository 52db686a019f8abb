//! What behaves otherwise than under bent: each said once, where it begins.

use spec::mesh::Entry;
use spec::{Diagnostic, Diagnostics, Span, codes};

use super::FRONT_PROXY;
use super::read::{File, Service};

pub(super) fn write(file: &File, diagnostics: &mut Diagnostics) {
    if let Some(nodes) = &file.nodes {
        note(diagnostics, nodes.span, NODES);
        note(diagnostics, nodes.span, STRICT);
        if let Some(front) = nodes.value.iter().find(|node| node.id.value.as_str() == FRONT_PROXY) {
            note(diagnostics, front.id.span, FRONT);
            note(diagnostics, front.id.span, FORWARDED);
        }
    }
    if let Some(services) = file.services.as_ref().filter(|services| !services.value.is_empty()) {
        note(diagnostics, services.span, SERVICES);
    }
    if let Some(annotation) = services(file).flat_map(|service| &service.annotations).next() {
        note(diagnostics, annotation.key.span, SERVICE_ANNOTATIONS);
    }
    let is_retry = |annotation: &&Entry| matches!(annotation.key.value.as_str(), "enable-retry" | "num-retries");
    if let Some(annotation) = services(file).flat_map(annotations).find(is_retry) {
        note(diagnostics, annotation.key.span, RETRIES);
    }
}

const NODES: &str = "sidecars listen for outgoing requests on loopback only, their administration is not reachable \
                     from outside, and a fault hits its own service alone, never health checks";
const STRICT: &str = "requests with an underscore in a header name, or an escaped slash in the path, are refused with 400; \
                      repeated slashes and dot segments are resolved; administration is on port 9901, not 9999";
const FORWARDED: &str = "the front proxy sets `x-forwarded-proto` and `x-forwarded-for` anew; behind a load balancer, \
                         import the mesh and say `trusted-hops=1` on the gateway";
const FRONT: &str = "the front proxy checks users itself, against `users.htpasswd` beside this file, instead of asking \
                     an authorization service; `/healthz` no longer passes without credentials";
const SERVICES: &str = "`services` is read: bent documents it, but took endpoints from `nodes` alone";
const SERVICE_ANNOTATIONS: &str = "annotations of a service take effect: bent read those of endpoints only";
const RETRIES: &str = "requests are tried again: bent documents this annotation, but did nothing";

fn services(file: &File) -> impl Iterator<Item = &Service> {
    let declared = file.services.iter().flat_map(|services| &services.value);
    let nodes = file.nodes.iter().flat_map(|nodes| &nodes.value);
    declared.chain(nodes.flat_map(|node| &node.services))
}

fn annotations(service: &Service) -> impl Iterator<Item = &Entry> {
    service.annotations.iter().chain(service.endpoints.iter().flat_map(|endpoint| &endpoint.annotations))
}

fn note(diagnostics: &mut Diagnostics, span: Span, message: &str) {
    diagnostics.push(Diagnostic::note(codes::IMPORTED_DIFFERENTLY, span, message));
}
