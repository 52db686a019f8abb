//! From an input to a checked mesh, or to a report of every mistake.

use compiler::CheckedMesh;
use spec::{Mesh, Sources};

use crate::exit::Exit;
use crate::input::{Input, load};
use crate::judge::{Stages, judge};
use crate::report::{self, Format, Options, Report, Role};

/// A mesh without mistakes, and what it was made from.
pub struct Ready {
    pub mesh: Mesh,
    pub checked: CheckedMesh,
    pub sources: Sources,
}

/// Reads and checks. Findings are printed to standard error, warnings too; `None` if there were errors.
pub fn ready(input: &Input, format: Format) -> Result<Option<Ready>, Exit> {
    checked(input, &Options { format, ..Options::default() }, Role::Remark)
}

/// Reads and checks. Findings are weighed and printed as the user wants; `None` if there were errors.
pub fn checked(input: &Input, options: &Options, role: Role) -> Result<Option<Ready>, Exit> {
    let mut loaded = load(input)?;
    let checked = match &loaded.mesh {
        Some(mesh) if loaded.diagnostics.faults() == 0 => {
            compiler::check(mesh, &loaded.sources, &mut loaded.diagnostics)
        }
        _ => None,
    };
    let stages = if checked.is_some() { Stages::All } else { Stages::Some };
    let verdict = judge(&mut loaded, stages, &options.levels);
    report::print(&Report::of(&loaded, &verdict), options.format, role)?;
    if verdict.findings.has_errors() {
        return Ok(None);
    }
    let (Some(mesh), Some(checked)) = (loaded.mesh, checked) else { return Ok(None) };
    Ok(Some(Ready { mesh, checked, sources: loaded.sources }))
}
