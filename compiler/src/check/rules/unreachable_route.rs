//! A route below one that takes all its requests is never used.
//!
//! Exact cases only: the earlier route's path covers the later one's, and it asks for no header that the later one
//! does not ask for too.

use spec::mesh::Route;
use spec::{Diagnostic, Diagnostics, Mesh, Span, codes};

use super::super::tables::Tables;
use super::path_overlap::{Path, covers, path};
use super::{order, route_tables};

pub(super) fn check(mesh: &Mesh, _: &Tables, diagnostics: &mut Diagnostics) {
    for table in route_tables(mesh) {
        let sorted = order::as_tried(table);
        for (index, route) in sorted.iter().enumerate() {
            let earlier = sorted.iter().take(index).find(|earlier| covers(&earlier.matches, &route.matches));
            if let Some(earlier) = earlier {
                diagnostics.push(unreachable(route, earlier));
            }
        }
    }
    for host in mesh.gateways.iter().flat_map(|gateway| &gateway.hosts) {
        let Some(target) = host.targets.first() else { continue };
        if let Some(route) = host.routes.iter().find(|route| takes_everything(route)) {
            diagnostics.push(
                finding(target.service.span, "no request is left for the host's own `to`", route)
                    .help("narrow that route with a path, or delete one of the two"),
            );
        }
    }
}

fn takes_everything(route: &Route) -> bool {
    let it = &route.matches;
    path(it) == Path::Any
        && it.all_headers().next().is_none()
        && it.query.is_empty()
        && it.methods.is_empty()
        && it.scheme.is_none()
        && it.port.is_none()
        && it.grpc.is_none()
}

fn unreachable(route: &Route, earlier: &Route) -> Diagnostic {
    let diagnostic = finding(route.span(), "no request ever reaches this route", earlier);
    match order::number(route) == order::number(earlier) {
        true => diagnostic.help("move the narrower route up, or delete it"),
        false => diagnostic.help("give the narrower route the lower `priority`, or delete it"),
    }
}

fn finding(span: Span, message: &str, earlier: &Route) -> Diagnostic {
    Diagnostic::of(codes::UNREACHABLE_ROUTE, span, message)
        .label("the first match wins")
        .related(earlier.span(), "this earlier route takes all of them")
}
