//! A `tcp` service has bytes and no requests: what is said of requests has no meaning there.

use spec::mesh::{
    AccessRule, Authorization, Call, Callee, HashKey, HealthCheck, HealthCheckProtocol, LoadBalancing, Protocol, Route,
    RouteAction, Service,
};
use spec::{Diagnostics, Mesh, Name, Span};

use super::super::super::tables::Tables;
use super::super::protocols;
use super::mismatch;

/// What is said, and where.
type Said = (&'static str, Span);

pub(super) fn check(mesh: &Mesh, tables: &Tables, diagnostics: &mut Diagnostics) {
    for service in mesh.services.iter().filter(|service| protocols::of(service) == Protocol::Tcp) {
        let policies = said_of_requests(service).chain(service.routes.iter().flat_map(said_by_route));
        refuse(service, policies, diagnostics);
    }
    let calls = mesh.nodes.iter().flat_map(|node| &node.calls);
    for call in calls.chain(mesh.gateways.iter().flat_map(|gateway| &gateway.calls)) {
        let Callee::Service(name) = &call.service.value else { continue };
        if let Some(service) = tcp(mesh, tables, name) {
            refuse(service, said_by_call(call), diagnostics);
        }
    }
    for serve in mesh.nodes.iter().flat_map(|node| &node.serves) {
        let Some(service) = tcp(mesh, tables, &serve.service.value) else { continue };
        refuse(service, serve.fault.iter().map(|_| ("a fault", serve.service.span)), diagnostics);
    }
}

fn tcp<'a>(mesh: &'a Mesh, tables: &Tables, name: &Name) -> Option<&'a Service> {
    protocols::service(mesh, tables, name).filter(|service| protocols::of(service) == Protocol::Tcp)
}

fn refuse(service: &Service, said: impl Iterator<Item = Said>, diagnostics: &mut Diagnostics) {
    for (what, span) in said {
        let message = format!("{what} needs requests, and `{}` speaks `tcp`", service.name.value);
        let place = service.protocol.as_ref().map_or(service.name.span, |protocol| protocol.span);
        diagnostics.push(
            mismatch(span, message)
                .label("a connection is only bytes here")
                .related(place, "the service's protocol")
                .help("delete it, or let the service speak `http`, `http2` or `grpc`"),
        );
    }
}

fn said_of_requests(service: &Service) -> impl Iterator<Item = Said> {
    let name = service.name.span;
    let edits = service.request_headers.is_some() || service.response_headers.is_some();
    let plain = [
        service.timeout.as_ref().map(|timeout| ("`timeout`", timeout.span)),
        service.retry.as_ref().map(|retry| ("a retry", retry.attempts.span)),
        service.fault.as_ref().map(|_| ("a fault", name)),
        service.basic_auth.as_ref().map(|auth| ("basic authentication", auth.htpasswd_file.span)),
        service.jwt.as_ref().map(|jwt| ("token authentication", jwt.place.0.unwrap_or(name))),
        service.api_key.as_ref().map(|key| ("key authentication", key.place())),
        service.hmac_signature.as_ref().map(|auth| ("signatures of requests", auth.secrets_file.span)),
        service.external_auth.as_ref().map(|auth| ("external authorization", auth.service.span)),
        service.cors.as_ref().map(|cors| ("`cors`", cors.place.0.unwrap_or(name))),
        service.ip_access.as_deref().map(|access| ("access by address", access.place.0.unwrap_or(name))),
        service.rate_limits.first().map(|limit| ("a rate limit", limit.requests.span)),
        edits.then_some(("a change to headers", name)),
        service.headers.as_ref().map(|_| ("a change to headers", name)),
        service.request_id.as_ref().map(|id| ("a request id", id.place.0.unwrap_or(name))),
        service.maintenance.as_ref().map(|it| ("maintenance", it.place.0.unwrap_or(name))),
        service.header_routing.as_ref().map(|_| ("header routing", name)),
        service.mirrors.first().map(|mirror| ("a mirror", mirror.to.span)),
        service.filters.first().map(|filter| ("a wasm filter", filter.name.span)),
        service.health_check.as_deref().and_then(asks_by_http),
        service.load_balancing.as_deref().and_then(chooses_by_request),
    ];
    plain.into_iter().flatten().chain(service.authorization.iter().flat_map(looks_at_requests))
}

/// A health check at a port of its own may speak what it likes there.
fn asks_by_http(check: &HealthCheck) -> Option<Said> {
    let protocol = check.protocol.as_ref().filter(|protocol| protocol.value != HealthCheckProtocol::Tcp);
    match protocol {
        Some(protocol) => check.port.is_none().then_some(("a health check by requests", protocol.span)),
        None => {
            let path = check.path.as_ref().map(|path| ("the path of a health check", path.span));
            path.or(check.expect.as_ref().map(|expect| ("the answer of a health check", expect.span)))
        }
    }
}

fn chooses_by_request(balancing: &LoadBalancing) -> Option<Said> {
    let key = balancing.hash_on.iter().find(|hash| hash.key.value != HashKey::SourceAddress);
    let cookie = balancing.sticky_cookie.as_ref().map(|cookie| ("a sticky cookie", cookie.name.span));
    key.map(|hash| ("a hash key", hash.key.span)).or(cookie)
}

fn looks_at_requests(authorization: &Authorization) -> impl Iterator<Item = Said> {
    authorization.rules.iter().filter(|rule| asks_for_a_request(rule)).map(|rule| ("this rule", rule.decision.span))
}

fn asks_for_a_request(rule: &AccessRule) -> bool {
    let it = &rule.matches;
    let port_aside = it.path.is_some() || !it.methods.is_empty() || it.scheme.is_some() || it.grpc.is_some();
    port_aside || it.all_headers().next().is_some() || !it.query.is_empty() || !rule.claim.is_empty()
}

/// A route without conditions and policies shares connections out; everything else looks at requests.
fn said_by_route(route: &Route) -> impl Iterator<Item = Said> {
    let it = &route.matches;
    let conditions = it.path.is_some()
        || !it.methods.is_empty()
        || it.scheme.is_some()
        || it.all_headers().next().is_some()
        || !it.query.is_empty()
        || it.grpc.is_some();
    let edits = route.request_headers.is_some() || route.response_headers.is_some();
    let answers = !matches!(route.action.value, RouteAction::To(_));
    let policies = [
        conditions.then_some(("a condition of a route", route.span())),
        answers.then_some(("an answer", route.action.span)),
        route.timeout.as_ref().map(|timeout| ("`timeout`", timeout.span)),
        route.websocket.as_ref().map(|websocket| ("`websocket`", websocket.span)),
        route.retry.as_ref().map(|retry| ("a retry", retry.attempts.span)),
        route.rewrite.as_ref().map(|rewrite| ("a rewrite", rewrite.place.0.unwrap_or(route.span()))),
        route.mirrors.first().map(|mirror| ("a mirror", mirror.to.span)),
        route.rate_limits.first().map(|limit| ("a rate limit", limit.requests.span)),
        route.cors.as_ref().map(|cors| ("`cors`", cors.place.0.unwrap_or(route.span()))),
        edits.then_some(("a change to headers", route.span())),
    ];
    policies.into_iter().flatten()
}

fn said_by_call(call: &Call) -> impl Iterator<Item = Said> {
    let timeout = call.timeout.as_ref().map(|timeout| ("`timeout`", timeout.span));
    let retry = call.retry.as_ref().map(|retry| ("a retry", retry.attempts.span));
    timeout.into_iter().chain(retry)
}
