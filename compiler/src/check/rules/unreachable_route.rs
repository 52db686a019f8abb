//! A route below one that takes all its requests is never used.
//!
//! Exact cases only: the earlier route's path covers the later one's, and it asks for no header that the later one
//! does not ask for too.

use spec::mesh::{PathMatch, Route};
use spec::{Diagnostic, Diagnostics, Mesh, codes};

use super::super::tables::Tables;
use super::route_tables;

pub(super) fn check(mesh: &Mesh, _: &Tables, diagnostics: &mut Diagnostics) {
    for table in route_tables(mesh) {
        for (index, route) in table.iter().enumerate() {
            let Some(earlier) = table.iter().take(index).find(|earlier| takes_all_of(earlier, route)) else { continue };
            diagnostics.push(
                Diagnostic::error(codes::UNREACHABLE_ROUTE, route.path.span, "no request ever reaches this route")
                    .label("the first match wins")
                    .related(earlier.path.span, "this earlier route takes all of them")
                    .help("move the narrower route up, or delete it"),
            );
        }
    }
}

fn takes_all_of(earlier: &Route, later: &Route) -> bool {
    let path = match (&earlier.path.value, &later.path.value) {
        (PathMatch::Prefix(prefix), PathMatch::Prefix(path) | PathMatch::Exact(path)) => path.starts_with(prefix),
        (PathMatch::Exact(one), PathMatch::Exact(other)) => one == other,
        (PathMatch::Exact(_), PathMatch::Prefix(_)) => false,
    };
    path && earlier.headers.iter().all(|asked| later.headers.contains(asked))
}
