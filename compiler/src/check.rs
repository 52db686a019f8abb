//! From names to proof: every name resolves, every rule holds, or the user hears of all mistakes at once.

mod addresses;
mod credentials;
mod endpoints;
mod resolve;
mod rules;
mod tables;

use spec::{Diagnostics, Mesh, Severity, Sources};

use crate::checked::CheckedMesh;

/// The only maker of a [`CheckedMesh`]. `None` if this stage found an error; then the diagnostics say which.
pub fn check(mesh: &Mesh, sources: &Sources, diagnostics: &mut Diagnostics) -> Option<CheckedMesh> {
    let before = diagnostics.count(Severity::Error);
    let tables = tables::collect(mesh, diagnostics);
    let checked = resolve::mesh(mesh, &tables, sources, diagnostics);
    addresses::check(mesh, &checked, diagnostics);
    rules::run(mesh, &tables, diagnostics);
    (diagnostics.count(Severity::Error) == before).then_some(checked)
}
