//! What a node without a sidecar says of itself, and of its calls.

use spec::mesh::{Call, Callee, Node, TlsMode};
use spec::{Mesh, Span};

use super::callee::{breaker, outliers, retry};
use super::{Findings, protocols, speaks_http2};
use crate::check::tables::Tables;

pub(super) fn check(mesh: &Mesh, tables: &Tables, node: &Node, findings: &mut Findings) {
    let own: [(&str, Option<Span>); 9] = [
        ("`bind`", node.bind.as_ref().map(|it| it.span)),
        ("`serves`", node.serves.first().map(|it| it.service.span)),
        ("`transparent-proxy`", node.transparent_proxy.as_ref().map(|it| it.place.0.unwrap_or(node.name.span))),
        ("`egress`", node.egress.as_ref().map(|it| it.policy.span)),
        ("`access-log`", node.access_log.as_ref().map(|it| it.format.span)),
        ("`tracing`", node.tracing.as_ref().map(|it| it.provider.span)),
        ("`stats`", node.stats.as_ref().map(|it| it.place.0.unwrap_or(node.name.span))),
        ("`filter`", node.filters.first().map(|it| it.name.span)),
        ("`envoy-overlay`", node.overlays.first().map(|it| it.target.span)),
    ];
    for (what, span) in own.into_iter().filter_map(|(what, span)| Some((what, span?))) {
        findings.needs_sidecar(span, what, node, "delete it, or the `proxyless` of the node");
    }
    for call in &node.calls {
        of_call(call, node, findings);
        let Callee::Service(name) = &call.service.value else { continue };
        let Some(service) = protocols::service(mesh, tables, name) else { continue };
        let protocol = protocols::of(service);
        if !speaks_http2(protocol) {
            let what = format!("to call `{}`, which speaks `{}`,", service.name.value, protocols::word(protocol));
            let help = "say `protocol \"grpc\"` at the service if it speaks gRPC";
            findings.needs_sidecar(call.service.span, &what, node, help);
        }
    }
}

fn of_call(call: &Call, node: &Node, findings: &mut Findings) {
    let local = call.local_port.as_ref().map(|it| it.span);
    let local = local.or(call.local_address.as_ref().map(|it| it.span));
    if let Some(span) = local {
        let help = "delete it: the application dials `xds:///SERVICE`";
        findings.needs_sidecar(span, "`local-port`", node, help);
    }
    if let Some(tls) = call.client_tls.as_deref()
        && tls.mode.as_ref().is_none_or(|mode| mode.value != TlsMode::Disabled)
    {
        let span = tls.place.0.unwrap_or(call.service.span);
        findings.needs_sidecar(span, "`client-tls`", node, "say `client-tls mode=\"disabled\"`");
    }
    if let Some(said) = call.retry.as_deref() {
        retry(said, node, findings);
    }
    if let Some(said) = call.circuit_breaker.as_deref() {
        breaker(said, node, findings);
    }
    if let Some(said) = call.outlier_detection.as_deref() {
        outliers(said, call.service.span, node, findings);
    }
}
