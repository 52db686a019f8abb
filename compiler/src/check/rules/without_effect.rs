//! Settings that nothing looks at: of another load-balancing policy, of another protocol.

use spec::mesh::{ConnectionPool, LoadBalancing, LoadBalancingPolicy, Protocol, Service};
use spec::{Diagnostic, Diagnostics, Mesh, Span, codes};

use super::super::tables::Tables;
use super::protocols;

pub(super) fn check(mesh: &Mesh, _: &Tables, diagnostics: &mut Diagnostics) {
    let services = mesh.services.iter().filter_map(|service| service.load_balancing.as_deref());
    for balancing in mesh.defaults.load_balancing.iter().chain(services) {
        of_policy(balancing, diagnostics);
    }
    // What `defaults` says is meant for services of every protocol.
    for service in &mesh.services {
        if let Some(pool) = service.connection_pool.as_deref() {
            of_protocol(service, pool, diagnostics);
        }
    }
}

fn of_policy(balancing: &LoadBalancing, diagnostics: &mut Diagnostics) {
    use LoadBalancingPolicy::{LeastRequest, RingHash, RoundRobin};
    let policy = balancing.policy.as_ref().map_or(RoundRobin, |policy| policy.value);
    let slow_start = balancing.slow_start.as_ref().map(|it| it.window.span);
    let choice_count = balancing.choice_count.as_ref().map(|it| it.span);
    let min_ring_size = balancing.min_ring_size.as_ref().map(|it| it.span);
    for (field, said, policies) in [
        ("slow-start", slow_start, &[RoundRobin, LeastRequest][..]),
        ("choice-count", choice_count, &[LeastRequest]),
        ("min-ring-size", min_ring_size, &[RingHash]),
    ] {
        let Some(span) = said.filter(|_| !policies.contains(&policy)) else { continue };
        let names: Vec<String> = policies.iter().map(|policy| format!("`policy=\"{}\"`", policy.as_str())).collect();
        let message = format!("`{field}` means nothing to `{}`", policy.as_str());
        let needed = names.join(" or ");
        let diagnostic = no_effect(span, message).help(format!("delete it, or write {needed}"));
        diagnostics.push(match &balancing.policy {
            Some(policy) => diagnostic.related(policy.span, "the policy"),
            None => diagnostic.help("without a `policy` it is `round-robin`"),
        });
    }
}

fn of_protocol(service: &Service, pool: &ConnectionPool, diagnostics: &mut Diagnostics) {
    let protocol = protocols::of(service);
    let tcp = protocol == Protocol::Tcp;
    let streams = matches!(protocol, Protocol::Http2 | Protocol::Grpc);
    for (field, said, meant) in [
        ("max-connection-duration", pool.max_connection_duration.as_ref().map(|it| it.span), !tcp),
        ("max-requests-per-connection", pool.max_requests_per_connection.as_ref().map(|it| it.span), !tcp),
        ("max-concurrent-streams", pool.max_concurrent_streams.as_ref().map(|it| it.span), streams),
    ] {
        let Some(span) = said.filter(|_| !meant) else { continue };
        let message =
            format!("`{field}` means nothing to `{}`: it speaks `{}`", service.name.value, protocols::word(protocol));
        diagnostics.push(no_effect(span, message).related(service.name.span, "the service").help("delete it"));
    }
}

fn no_effect(span: Span, message: String) -> Diagnostic {
    Diagnostic::of(codes::WITHOUT_EFFECT, span, message).label("this has no effect")
}
