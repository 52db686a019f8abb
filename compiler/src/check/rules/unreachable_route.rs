//! A route below one that takes all its requests is never used.
//!
//! Exact cases only: the earlier route's path covers the later one's, and it asks for no header that the later one
//! does not ask for too.

use spec::mesh::{PathMatch, Route, RouteMatch};
use spec::{Diagnostic, Diagnostics, Mesh, codes};

use super::super::tables::Tables;
use super::route_tables;

pub(super) fn check(mesh: &Mesh, _: &Tables, diagnostics: &mut Diagnostics) {
    for table in route_tables(mesh) {
        for (index, route) in table.iter().enumerate() {
            let Some(earlier) = table.iter().take(index).find(|earlier| takes_all_of(earlier, route)) else { continue };
            diagnostics.push(
                Diagnostic::error(codes::UNREACHABLE_ROUTE, route.span(), "no request ever reaches this route")
                    .label("the first match wins")
                    .related(earlier.span(), "this earlier route takes all of them")
                    .help("move the narrower route up, or delete it"),
            );
        }
    }
}

fn takes_all_of(earlier: &Route, later: &Route) -> bool {
    let (one, other) = (&earlier.matches, &later.matches);
    let path = match (path(one), path(other)) {
        (None, _) => true,
        (Some(PathMatch::Prefix(prefix)), other) if prefix == "/" => other.is_none_or(|_| true),
        (Some(PathMatch::Prefix(prefix)), Some(PathMatch::Prefix(path) | PathMatch::Exact(path))) => {
            path.starts_with(prefix)
        }
        (Some(one), Some(other)) => one == other,
        (Some(_), None) => false,
    };
    // What the earlier one asks for besides, the later one must ask for in the same words.
    path && one.case_sensitive == other.case_sensitive
        && one.all_headers().all(|asked| other.all_headers().any(|said| said == asked))
        && one.query.iter().all(|asked| other.query.contains(asked))
        && (one.methods.is_empty()
            || (!other.methods.is_empty() && other.methods.iter().all(|method| one.methods.contains(method))))
        && (one.scheme.is_none() || one.scheme == other.scheme)
        && (one.port.is_none() || one.port == other.port)
        && (one.grpc.is_none() || one.grpc == other.grpc)
}

fn path(matches: &RouteMatch) -> Option<&PathMatch> {
    matches.path.as_ref().map(|path| &path.value)
}
