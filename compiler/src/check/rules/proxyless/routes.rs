//! The routes of a service that an application without a sidecar calls.

use spec::mesh::{Node, Route, RouteAction, Service};
use spec::{Mesh, Span};

use super::callee::retry;
use super::{Findings, is_behind_sidecars};
use crate::check::tables::Tables;

pub(super) fn check(mesh: &Mesh, tables: &Tables, service: &Service, node: &Node, findings: &mut Findings) {
    for route in &service.routes {
        conditions(route, node, findings);
        changes(route, node, findings);
        if let RouteAction::Redirect(_) | RouteAction::Respond(_) = &route.action.value {
            findings.needs_sidecar(
                route.action.span,
                "an answer in place of the service's",
                node,
                "send the requests to a service",
            );
        }
        for target in route.targets() {
            let name = &target.service.value;
            let other = name.folded() != service.name.value.folded();
            if other && is_behind_sidecars(tables, mesh, name) {
                let what = format!("to call `{name}` under the name `{}`", service.name.value);
                let help = "make it a subset of the service: sidecars answer to the names of their own services";
                findings.needs_sidecar(target.service.span, &what, node, help);
            }
            if target.request_headers.is_some() || target.response_headers.is_some() {
                let help = "say `headers` at the service, which its own sidecars change";
                findings.needs_sidecar(target.service.span, "to change headers on the way", node, help);
            }
        }
        if let Some(said) = &route.retry {
            retry(said, node, findings);
        }
        if let Some(said) = &route.idle_timeout {
            findings.less(said.span, "`idle-timeout`", node);
        }
    }
}

fn conditions(route: &Route, node: &Node, findings: &mut Findings) {
    let matches = &route.matches;
    let asked: [(&str, Option<Span>, &str); 4] = [
        ("`query`", matches.query.first().map(|it| it.name.span), "gRPC has no query: write a condition on a header"),
        ("`method`", matches.methods.first().map(|it| it.span), "delete it: every gRPC request is a POST"),
        ("`scheme`", matches.scheme.as_ref().map(|it| it.span), "delete it"),
        ("`port`", matches.port.as_ref().map(|it| it.span), "delete it"),
    ];
    for (what, span, help) in asked {
        if let Some(span) = span {
            findings.needs_sidecar(span, &format!("a condition on {what}"), node, help);
        }
    }
    for header in matches.all_headers() {
        let name = &header.name.value;
        // gRPC does not show its own metadata of bytes, nor what HTTP says of a request.
        if name.starts_with(':') || name.to_ascii_lowercase().ends_with("-bin") {
            let help = "compare another header";
            findings.needs_sidecar(header.name.span, &format!("a condition on `{name}`"), node, help);
        }
    }
}

fn changes(route: &Route, node: &Node, findings: &mut Findings) {
    let place = route.action.span;
    let said: [(&str, Option<Span>); 5] = [
        ("`rewrite`", route.rewrite.as_ref().map(|it| it.place.0.unwrap_or(place))),
        ("`mirror`", route.mirrors.first().map(|it| it.to.span)),
        ("`rate-limit`", route.rate_limits.first().map(|it| it.requests.span)),
        ("`request-headers`", route.request_headers.as_ref().map(|_| place)),
        ("`response-headers`", route.response_headers.as_ref().map(|_| place)),
    ];
    for (what, span) in said {
        if let Some(span) = span {
            findings.needs_sidecar(span, what, node, "delete it, or the `proxyless` of the node");
        }
    }
}
