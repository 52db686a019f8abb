//! From an input to a checked mesh, or to a report of every mistake.

use compiler::CheckedMesh;
use spec::{Diagnostics, Mesh, Sources};

use crate::exit::Exit;
use crate::input::{Input, load};
use crate::report::{Format, print_findings};

/// A mesh without mistakes, and what it was made from.
pub struct Ready {
    pub mesh: Mesh,
    pub checked: CheckedMesh,
    pub sources: Sources,
    pub diagnostics: Diagnostics,
}

/// Reads and checks. Findings are printed, warnings too; `None` if there were errors.
pub fn ready(input: &Input, format: Format) -> Result<Option<Ready>, Exit> {
    let mut loaded = load(input)?;
    let usable = !loaded.diagnostics.has_errors();
    let checked = match &loaded.mesh {
        Some(mesh) if usable => compiler::check(mesh, &loaded.sources, &mut loaded.diagnostics),
        _ => None,
    };
    loaded.diagnostics.sort();
    print_findings(&loaded.diagnostics, &loaded.sources, format);
    let (Some(mesh), Some(checked)) = (loaded.mesh, checked) else { return Ok(None) };
    Ok(Some(Ready { mesh, checked, sources: loaded.sources, diagnostics: loaded.diagnostics }))
}
