//! The order in which routes are tried.

use spec::mesh::Route;

/// Lower numbers first, those without one last; among equals, the order of the text.
pub(super) fn as_tried(table: &[Route]) -> Vec<&Route> {
    let mut sorted: Vec<&Route> = table.iter().collect();
    sorted.sort_by_key(|route| number(route));
    sorted
}

/// The priority that is said; greater than any for those that say none.
pub(super) fn number(route: &Route) -> u64 {
    route.priority.as_ref().map_or(u64::MAX, |priority| u64::from(priority.value))
}
