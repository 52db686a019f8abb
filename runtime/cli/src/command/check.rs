//! `meshwright check`: every mistake at once, in one mesh or in many.

use std::collections::BTreeSet;
use std::path::Path;

use clap::Args;
use compiler::CheckedMesh;
use spec::{Sources, Syntax};

use crate::exit::{Exit, ExitStatus};
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
    for path in expanded(&arguments.paths)? {
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

/// Files as they are, folders as the meshes in them, each once.
fn expanded(paths: &[String]) -> Result<Vec<String>, Exit> {
    let (mut result, mut seen) = (Vec::new(), BTreeSet::new());
    for path in paths {
        let files = if Path::new(path).is_dir() { meshes_in(Path::new(path))? } else { vec![path.clone()] };
        result.extend(files.into_iter().filter(|file| seen.insert(file.clone())));
    }
    Ok(result)
}

/// Every file below a folder that says `mesh`, in the order of the names. Hidden files and folders are left out.
fn meshes_in(folder: &Path) -> Result<Vec<String>, Exit> {
    let mut found = Vec::new();
    let mut entries = std::fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let (path, kind) = (entry.path(), entry.file_type()?);
        let Some(name) = path.to_str().filter(|_| !entry.file_name().as_encoded_bytes().starts_with(b".")) else {
            continue;
        };
        if kind.is_dir() {
            found.extend(meshes_in(&path)?);
        } else if kind.is_file() && Syntax::of(name).is_some() && says_mesh(&std::fs::read(&path)?) {
            found.push(name.to_owned());
        }
    }
    Ok(found)
}

/// Whether a line begins with `mesh`: what others include, and files of other tools, do not say it.
fn says_mesh(text: &[u8]) -> bool {
    text.split(|byte| *byte == b'\n').any(|line| {
        let rest = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line).strip_prefix(b"mesh");
        rest.is_some_and(|rest| matches!(rest.first(), None | Some(b' ' | b'\t' | b'\r' | b':' | b'"' | b'{')))
    })
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
