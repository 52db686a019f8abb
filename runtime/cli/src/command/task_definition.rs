//! `meshwright task-definition`: the sidecar in a task definition of ECS.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, Subcommand};
use compiler::emit::task_definition as definition;
use compiler::{CheckedMesh, Proxy};
use spec::mesh::{HostPort, RuleLevel};
use spec::{Diagnostics, FileId, SourceFile, Sources, severity};

use super::bootstrap::{proxy, server};
use crate::exit::{Exit, ExitStatus};
use crate::input::{Input, Reading};
use crate::judge::Verdict;
use crate::mesh::ready;
use crate::report::{self, Format, Options, Report, Role};
use crate::write;

/// ECS takes 64 KB.
const MAX_BYTES: u64 = 2 << 20;

#[derive(Args, Debug)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Write the task definition with the sidecar of a node or gateway in it
    ///
    /// What is there keeps its order and its words. An earlier sidecar, or App Mesh's Envoy, is brought up to date in its
    /// place; patching twice is patching once. Findings go to standard error.
    Patch(Patch),
    /// Find what of a task definition is wrong for a node or gateway
    ///
    /// Findings name places, and never what a variable holds. The exit code is 1 if there are errors.
    Check(Check),
}

/// What both read.
#[derive(Args, Debug)]
struct Pair {
    /// The task definition as JSON, or `-` for standard input
    path: String,
    /// The mesh: a `.kdl` or `.yaml` file
    #[arg(long, value_name = "FILE")]
    mesh: String,
    /// The node or gateway that the task is of
    #[arg(long, value_name = "NAME")]
    node: String,
    #[command(flatten)]
    reading: Reading,
}

#[derive(Args, Debug)]
struct Patch {
    #[command(flatten)]
    pair: Pair,
    /// The sidecar's image, with `meshwright` and Envoy in it; by default that of the sidecar that is there
    #[arg(long, value_name = "IMAGE")]
    image: Option<String>,
    /// Control planes, separated by commas; by default those of the sidecar that is there
    #[arg(long, value_name = "HOST:PORT", value_delimiter = ',', value_parser = server)]
    xds: Vec<HostPort>,
    /// Volume of the task with what `meshwright bootstrap --socket` wrote; by default the sidecar makes its own bootstrap
    #[arg(long, value_name = "VOLUME")]
    bootstrap_volume: Option<String>,
    /// File to write; by default standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Args, Debug)]
struct Check {
    #[command(flatten)]
    pair: Pair,
    #[command(flatten)]
    findings: Options,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitStatus, Exit> {
    match &arguments.action {
        Action::Patch(arguments) => patch(arguments),
        Action::Check(arguments) => check(arguments),
    }
}

fn patch(arguments: &Patch) -> Result<ExitStatus, Exit> {
    let Some(read) = read(&arguments.pair)? else { return Ok(ExitStatus::Invalid) };
    let options = definition::Options {
        image: arguments.image.clone(),
        xds: arguments.xds.clone(),
        bootstrap_volume: arguments.bootstrap_volume.clone(),
    };
    let mut found = Diagnostics::new();
    let text = definition::patch(read.file, &read.mesh, read.proxy, &options, &read.sources, &mut found);
    read.print(found, &Options::default(), Role::Remark)?;
    let Some(text) = text else { return Ok(ExitStatus::Invalid) };
    match &arguments.output {
        Some(path) => {
            let name = path.file_name().with_context(|| format!("`{}` is no file", path.display()))?;
            let folder = path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
            write::file(folder, &name.to_string_lossy(), text.as_bytes())?;
        }
        None => write::to_stdout(&text)?,
    }
    Ok(ExitStatus::Ok)
}

fn check(arguments: &Check) -> Result<ExitStatus, Exit> {
    let Some(read) = read(&arguments.pair)? else { return Ok(ExitStatus::Invalid) };
    let mut found = Diagnostics::new();
    definition::check(read.file, &read.mesh, read.proxy, &read.sources, &mut found);
    let errors = read.print(found, &arguments.findings, Role::Result)?;
    Ok(if errors { ExitStatus::Invalid } else { ExitStatus::Ok })
}

struct Read {
    name: String,
    file: FileId,
    mesh: CheckedMesh,
    proxy: Proxy,
    sources: Sources,
    /// What the mesh says of rules.
    rules: Vec<RuleLevel>,
}

/// `None` if the mesh has mistakes, which were printed.
fn read(pair: &Pair) -> Result<Option<Read>, Exit> {
    let input = Input { path: pair.mesh.clone(), reading: pair.reading.clone() };
    let Some(ready) = ready(&input, Format::Text)? else { return Ok(None) };
    let proxy = proxy(&ready.checked, &pair.node)?;
    let (name, bytes) = match pair.path.as_str() {
        "-" => ("stdin", read_up_to(std::io::stdin().lock())),
        path => (path, std::fs::File::open(path).and_then(read_up_to)),
    };
    let bytes = bytes.with_context(|| format!("cannot read {name}"))?;
    let text = String::from_utf8(bytes).map_err(|_| anyhow::anyhow!("{name} is no UTF-8 text"))?;
    let (mut sources, rules) = (ready.sources, ready.mesh.rules.levels);
    // Variables hold secrets: no line of it is ever shown.
    let file = sources.add(SourceFile::secret(name, text));
    Ok(Some(Read { name: name.to_owned(), file, mesh: ready.checked, proxy, sources, rules }))
}

fn read_up_to(reader: impl std::io::Read) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut reader.take(MAX_BYTES), &mut bytes)?;
    Ok(bytes)
}

impl Read {
    /// Whether there are errors.
    fn print(&self, mut found: Diagnostics, options: &Options, role: Role) -> Result<bool, Exit> {
        found.sort();
        let levels = severity::levels(&self.rules, &mut Diagnostics::new());
        let findings = options.levels.weigh(levels, found);
        let verdict = Verdict { findings, allowed: Vec::new() };
        let report = Report {
            files: vec![self.name.clone()],
            sources: &self.sources,
            findings: &verdict.findings,
            allowed: &verdict.allowed,
        };
        report::print(&report, options.format, role)?;
        Ok(verdict.findings.has_errors())
    }
}
