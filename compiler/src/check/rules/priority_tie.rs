//! Where priorities are said, routes that can take the same request should not have the same one.
//!
//! In a table without priorities the order of the text is what everybody expects, and nothing is said.

use spec::mesh::Route;
use spec::{Diagnostic, Diagnostics, Mesh, codes};

use super::super::tables::Tables;
use super::path_overlap::{covers, overlap};
use super::{order, route_tables};

pub(super) fn check(mesh: &Mesh, _: &Tables, diagnostics: &mut Diagnostics) {
    for table in route_tables(mesh) {
        if table.iter().all(|route| route.priority.is_none()) {
            continue;
        }
        let sorted = order::as_tried(table);
        for group in sorted.chunk_by(|one, other| order::number(one) == order::number(other)) {
            for (index, route) in group.iter().enumerate() {
                if let Some(earlier) = group.iter().take(index).find(|earlier| tied(earlier, route)) {
                    diagnostics.push(tie(route, earlier));
                }
            }
        }
    }
}

/// What the earlier route takes wholly is reported as unreachable. Without a priority, a wide route below narrow ones
/// is the usual way to say "everything else".
fn tied(earlier: &Route, later: &Route) -> bool {
    let everything_else = later.priority.is_none() && covers(&later.matches, &earlier.matches);
    overlap(&earlier.matches, &later.matches) && !covers(&earlier.matches, &later.matches) && !everything_else
}

fn tie(route: &Route, earlier: &Route) -> Diagnostic {
    let span = route.priority.as_ref().map_or_else(|| route.span(), |priority| priority.span);
    let message = match &route.priority {
        Some(priority) => format!("two routes that can take one request have priority {}", priority.value),
        None => "two routes that can take one request have no priority".to_owned(),
    };
    Diagnostic::of(codes::PRIORITY_TIE, span, message)
        .label("this one is tried second, because it stands below")
        .related(earlier.span(), "this one is tried first")
        .help("give the narrower route the lower `priority`")
}
