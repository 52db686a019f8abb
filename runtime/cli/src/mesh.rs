//! From an input to a checked mesh, or to a report of every mistake.

use std::time::{Duration, Instant};

use compiler::CheckedMesh;
use spec::{Mesh, Severity, Sources};

use crate::exit::Exit;
use crate::input::{Input, Loaded, load};
use crate::judge::{Stages, Verdict, judge};
use crate::report::{self, Format, Options, Report, Role};

/// A mesh without mistakes, and what it was made from.
pub struct Ready {
    pub mesh: Mesh,
    pub checked: CheckedMesh,
    pub sources: Sources,
    /// How long reading took, and checking.
    pub took: [Duration; 2],
}

/// Reads and checks. Findings are printed to standard error, warnings too; `None` if there were errors.
pub fn ready(input: &Input, format: Format) -> Result<Option<Ready>, Exit> {
    checked(input, &Options { format, ..Options::default() }, Role::Remark)
}

/// Reads and checks. Findings are weighed and printed as the user wants; `None` if there were errors.
pub fn checked(input: &Input, options: &Options, role: Role) -> Result<Option<Ready>, Exit> {
    let begun = Instant::now();
    let mut loaded = load(input)?;
    let read = begun.elapsed();
    let (checked, verdict) = examine(&mut loaded, options, role);
    let took = [read, begun.elapsed().saturating_sub(read)];
    report::print(&Report::of(&loaded, &verdict), options.format, role)?;
    let (Some(mesh), Some(checked)) = (loaded.mesh, checked) else { return Ok(None) };
    Ok(Some(Ready { mesh, checked, sources: loaded.sources, took }))
}

/// Checks what was read, and weighs what was found. No mesh after errors.
pub fn examine(loaded: &mut Loaded, options: &Options, role: Role) -> (Option<CheckedMesh>, Verdict) {
    let checked = match &loaded.mesh {
        Some(mesh) if loaded.diagnostics.faults() == 0 => {
            // What cannot be compiled yet is only worth a warning where nothing is compiled.
            let weight = if role == Role::Result { Severity::Warning } else { Severity::Error };
            compiler::pending::check(mesh, weight, &mut loaded.diagnostics);
            compiler::check(mesh, &loaded.sources, &mut loaded.diagnostics)
        }
        _ => None,
    };
    let stages = if checked.is_some() { Stages::All } else { Stages::Some };
    let verdict = judge(loaded, stages, &options.levels);
    (checked.filter(|_| !verdict.findings.has_errors()), verdict)
}
