//! What a service that an application without a sidecar reaches asks of its callers.

use spec::mesh::{
    Call, Callee, CircuitBreaker, HashKey, LoadBalancing, LoadBalancingPolicy, LocalityMode, Node, OutlierDetection,
    Retry, Service, TlsMode,
};
use spec::{Mesh, Span};

use super::Findings;
use crate::envoy::grpc::RETRIED;

pub(super) fn check(mesh: &Mesh, service: &Service, node: &Node, findings: &mut Findings) {
    let defaults = &mesh.defaults;
    let own = service.name.span;
    if let Some(dns) = &service.dns {
        let help = "say `endpoint`s, or let ECS or Cloud Map tell them";
        findings.needs_sidecar(dns.address.span, "a service that DNS tells of", node, help);
    }
    if let Some(failover) = service.failover.first() {
        let help = "give the endpoints priorities";
        findings.needs_sidecar(failover.service.span, "`failover`", node, help);
    }
    if let Some(mirror) = service.mirrors.first() {
        findings.needs_sidecar(mirror.to.span, "`mirror`", node, GIVE);
    }
    for (what, said) in
        [("`request-headers`", &service.request_headers), ("`response-headers`", &service.response_headers)]
    {
        if said.is_some() {
            let help = "say `headers`, which the service's own sidecars change";
            findings.needs_sidecar(own, what, node, help);
        }
    }
    if service.header_routing.as_ref().is_some_and(|routing| !routing.rules.is_empty()) {
        let help = "write routes with conditions on headers";
        findings.needs_sidecar(own, "`header-routing`", node, help);
    }
    let call = call(node, service);
    let tls = service.client_tls.as_deref().or(defaults.client_tls.as_ref());
    let tls = if call.is_some_and(|call| call.client_tls.is_some()) { None } else { tls };
    if let Some(tls) = tls.filter(|tls| tls.mode.as_ref().is_none_or(|mode| mode.value != TlsMode::Disabled)) {
        let help = format!("say `calls \"{}\" {{ client-tls mode=\"disabled\"; }}`", service.name.value);
        findings.needs_sidecar(tls.place.0.unwrap_or(own), "`client-tls`", node, &help);
    }
    if let Some(balancing) = service.load_balancing.as_deref().or(defaults.load_balancing.as_ref()) {
        load_balancing(balancing, node, findings);
    }
    if service.health_check.is_some() || defaults.health_check.is_some() {
        findings.less(own, "the health check of callers", node);
    }
    if let Some(said) = &service.idle_timeout {
        findings.less(said.span, "`idle-timeout`", node);
    }
    if let Some(pool) = service.connection_pool.as_deref().or(defaults.connection_pool.as_ref()) {
        findings.less(pool.place.0.unwrap_or(own), "`connection-pool`", node);
    }
    if let Some(overlay) = service.overlays.first() {
        findings.less(overlay.target.span, "`envoy-overlay`", node);
    }
    let says = |own: fn(&Call) -> bool| call.is_some_and(own);
    let said = service.retry.as_deref().or(defaults.retry.as_ref());
    if let Some(said) = said.filter(|_| !says(|call| call.retry.is_some())) {
        retry(said, node, findings);
    }
    let said = service.circuit_breaker.as_deref().or(defaults.circuit_breaker.as_ref());
    if let Some(said) = said.filter(|_| !says(|call| call.circuit_breaker.is_some())) {
        breaker(said, node, findings);
    }
    let said = service.outlier_detection.as_deref().or(defaults.outlier_detection.as_ref());
    if let Some(said) = said.filter(|_| !says(|call| call.outlier_detection.is_some())) {
        outliers(said, own, node, findings);
    }
}

const GIVE: &str = "delete it, or the `proxyless` of the node";

/// What a node says of a service that it names, else of all.
fn call<'a>(node: &'a Node, service: &Service) -> Option<&'a Call> {
    let named = |call: &&Call| match &call.service.value {
        Callee::Service(name) => name.folded() == service.name.value.folded(),
        Callee::All => false,
    };
    node.calls.iter().find(named).or_else(|| node.calls.iter().find(|call| call.service.value == Callee::All))
}

fn load_balancing(said: &LoadBalancing, node: &Node, findings: &mut Findings) {
    use LoadBalancingPolicy::{RingHash, RoundRobin};
    if let Some(policy) = said.policy.as_ref().filter(|it| !matches!(it.value, RoundRobin | RingHash)) {
        let what = format!("`policy \"{}\"`", policy.value.as_str());
        findings.needs_sidecar(policy.span, &what, node, "say `round-robin` or `ring-hash`");
    }
    for hash in said.hash_on.iter().filter(|hash| !matches!(hash.key.value, HashKey::Header(_))) {
        findings.needs_sidecar(hash.key.span, "a hash of anything but a header", node, "say `hash-on header=\"NAME\"`");
    }
    if let Some(cookie) = &said.sticky_cookie {
        findings.needs_sidecar(
            cookie.name.span,
            "`sticky-cookie`",
            node,
            "say `ring-hash` with `hash-on header=\"NAME\"`",
        );
    }
    if let Some(locality) = said.locality.as_ref().filter(|it| it.mode.value == LocalityMode::ZoneAware) {
        findings.less(locality.mode.span, "`locality \"zone-aware\"`", node);
    }
    let settings = [
        ("`slow-start`", said.slow_start.as_ref().map(|it| it.window.span)),
        ("`panic-threshold`", said.panic_threshold.as_ref().map(|it| it.span)),
    ];
    for (what, span) in settings {
        if let Some(span) = span {
            findings.less(span, what, node);
        }
    }
}

/// gRPC tries again what ended with some statuses, and what never reached a server.
pub(super) fn retry(said: &Retry, node: &Node, findings: &mut Findings) {
    for condition in said.on.iter().filter(|it| !RETRIED.contains(&it.value.as_str())) {
        findings.less(condition.span, &format!("`on=\"{}\"`", condition.value.as_str()), node);
    }
    if said.on.is_empty() {
        findings.less(said.attempts.span, "a `retry` without `on`", node);
    }
    let settings = [
        ("`status`", said.status.first().map(|it| it.span)),
        ("`per-try-timeout`", said.per_try_timeout.as_ref().map(|it| it.span)),
        ("`per-try-idle-timeout`", said.per_try_idle_timeout.as_ref().map(|it| it.span)),
        ("`budget`", said.budget.as_ref().map(|it| it.percent.span)),
        ("`avoid-previous-hosts`", said.avoid_previous_hosts.as_ref().map(|it| it.span)),
    ];
    for (what, span) in settings {
        if let Some(span) = span {
            findings.less(span, what, node);
        }
    }
}

/// gRPC counts requests.
pub(super) fn breaker(said: &CircuitBreaker, node: &Node, findings: &mut Findings) {
    let settings = [
        ("`max-connections`", &said.max_connections),
        ("`max-pending`", &said.max_pending),
        ("`max-retries`", &said.max_retries),
    ];
    for (what, said) in settings {
        if let Some(said) = said {
            findings.less(said.span, what, node);
        }
    }
}

/// gRPC compares rates of success, and counts no failures in a row.
pub(super) fn outliers(said: &OutlierDetection, own: Span, node: &Node, findings: &mut Findings) {
    findings.less(said.place.0.unwrap_or(own), "`outlier-detection`", node);
}
