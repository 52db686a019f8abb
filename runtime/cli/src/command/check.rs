//! `meshwright check`: every mistake at once, in one mesh or in many.

use clap::Args;
use compiler::CheckedMesh;
use spec::Sources;

use crate::exit::{Exit, ExitStatus};
use crate::folder::{expanded, says_mesh};
use crate::input::{Loaded, Reading, load_beside};
use crate::judge::Verdict;
use crate::mesh::examine;
use crate::report::{self, Format, Options, Report, Role};

#[derive(Args, Debug)]
pub struct Arguments {
    /// Meshes: `.kdl` and `.yaml` files, `-` for YAML on standard input, or folders, in which every file that says
    /// `mesh` is one
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<String>,
    #[command(flatten)]
    reading: Reading,
    #[command(flatten)]
    findings: Options,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitStatus, Exit> {
    let (mut sources, mut all, mut files) = (Sources::new(), Verdict::default(), Vec::new());
    let (mut invalid, mut summaries) = (false, Vec::new());
    for path in expanded(&arguments.paths, says_mesh)? {
        let mut loaded = load_beside(&path, &arguments.reading, sources)?;
        let (checked, verdict) = examine(&mut loaded, &arguments.findings, Role::Result);
        invalid |= checked.is_none();
        summaries.extend(checked.as_ref().map(summary));
        all.findings.extend(verdict.findings);
        all.allowed.extend(verdict.allowed);
        files.extend(loaded.files());
        let Loaded { sources: read, .. } = loaded;
        sources = read;
    }
    let report = Report { files, sources: &sources, findings: &all.findings, allowed: &all.allowed };
    report::print(&report, arguments.findings.format, Role::Result)?;
    if arguments.findings.format == Format::Text {
        summaries.iter().for_each(|summary| println!("{summary}"));
    }
    Ok(if invalid { ExitStatus::Invalid } else { ExitStatus::Ok })
}

fn summary(mesh: &CheckedMesh) -> String {
    format!(
        "mesh {}: {}, {}, {}",
        mesh.name(),
        counted(mesh.services().count(), "service"),
        counted(mesh.nodes().count(), "node"),
        counted(mesh.gateways().count(), "gateway"),
    )
}

fn counted(count: usize, one: &str) -> String {
    format!("{count} {one}{}", if count == 1 { "" } else { "s" })
}
