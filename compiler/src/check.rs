//! From names to proof: every name resolves, every rule holds, or the user hears of all mistakes at once.

mod addresses;
mod client_secrets;
mod credentials;
mod endpoints;
mod format;
pub(crate) mod hosts;
mod overlays;
mod regex;
mod resolve;
mod rules;
mod tables;
mod wasm_module;

use spec::mesh::RouteMatch;
use spec::{Diagnostics, Mesh, Name, Sources, Spanned};

use crate::checked::CheckedMesh;

/// The only maker of a [`CheckedMesh`]. `None` if this stage found a fault; then the diagnostics say which. Errors of
/// rules are for the user to weigh.
pub fn check(mesh: &Mesh, sources: &Sources, diagnostics: &mut Diagnostics) -> Option<CheckedMesh> {
    with_absent(mesh, sources, diagnostics).0
}

/// As [`check`], with the services that are referred to, and are not there.
pub(crate) fn with_absent(
    mesh: &Mesh,
    sources: &Sources,
    diagnostics: &mut Diagnostics,
) -> (Option<CheckedMesh>, Vec<Spanned<Name>>) {
    let before = diagnostics.faults();
    let tables = tables::collect(mesh, diagnostics);
    let checked = resolve::mesh(mesh, &tables, sources, diagnostics);
    addresses::check(mesh, &checked, diagnostics);
    rules::run(mesh, &tables, diagnostics);
    if diagnostics.faults() == before {
        overlays::check(mesh, &checked, diagnostics);
    }
    ((diagnostics.faults() == before).then_some(checked), tables.absent())
}

/// Every subset that is named, each with its service.
pub(crate) fn named_subsets(mesh: &Mesh) -> impl Iterator<Item = (&Name, &Spanned<String>)> {
    rules::named_subsets(mesh)
}

/// Whether one certainly takes every request of the other: a route that comes later is never reached then.
pub(crate) fn covers(one: &RouteMatch, other: &RouteMatch) -> bool {
    rules::covers(one, other)
}
