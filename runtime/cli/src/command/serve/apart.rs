//! What `serve` runs again and again in a process of its own: reads, checks and compiles, and writes what came of it.
//!
//! Whatever a mesh does to this process, the one that serves goes on.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use compiler::emit::Delivery;
use compiler::import::ecs::Wants;
use compiler::snapshot::Snapshot;
use compiler::{CheckedMesh, WasmModule};
use control_plane::published::{Names, State};
use control_plane::reconcile::files::Reader;
use control_plane::reconcile::{Attempt, Digests, Ecs, Failure, Findings, attempt};
use local::Subnet;
use rustix::process::{Resource, Rlimit, Signal, set_parent_process_death_signal, setrlimit};
use spec::{Diagnostics, Mesh, Severity, Sources};

use crate::exit::{Exit, ExitStatus};
use crate::input::{Format as From, Input, Loaded, load_unobserved};
use crate::judge::Verdict;
use crate::mesh::examine;
use crate::report::{self, Format, Options, Report, Role};

const UNOBSERVED: &str = "what runs on ECS was not read yet";
/// The name of the command, which no list of commands shows.
pub(crate) const NAME: &str = "compile-apart";

#[derive(Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    input: Input,
    #[command(flatten)]
    form: Form,
    /// Take only what runs in clusters that the mesh names
    #[arg(long)]
    only_wanted: bool,
    /// Whatever the mesh names, only in this one; may be repeated
    #[arg(long = "cluster", value_name = "NAME", requires = "only_wanted")]
    clusters: Vec<String>,
    /// Megabytes of memory that it may have
    #[arg(long, value_name = "MB")]
    memory: u64,
}

/// What is compiled, apart from the mesh.
#[derive(Args, Clone, Debug)]
pub(crate) struct Form {
    /// Folder in which every Envoy finds the wasm modules of filters; by default they come with the configuration
    #[arg(long, value_name = "DIR")]
    pub(crate) module_folder: Option<String>,
    /// Serve the mesh as `meshwright up --xds` runs it on this machine: at loopback addresses of this range
    #[arg(
        long,
        value_name = "CIDR",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = crate::launch::XDS_SUBNET
    )]
    pub(crate) local: Option<String>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitStatus, Exit> {
    // Before anything is read: a mesh must not be able to outlive or to starve the server.
    set_parent_process_death_signal(Some(Signal::KILL))?;
    let bytes = arguments.memory.saturating_mul(1 << 20);
    setrlimit(Resource::As, Rlimit { current: Some(bytes), maximum: Some(bytes) })?;
    let mut input = arguments.input.clone();
    input.reading.only_wanted = arguments.only_wanted.then(|| arguments.clusters.iter().cloned().collect());
    let output = attempt::encode(attempt(&input, &arguments.form));
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(&output)?;
    stdout.flush()?;
    Ok(ExitStatus::Ok)
}

/// Reads, checks and compiles once.
fn attempt(input: &Input, form: &Form) -> Attempt {
    let begun = Instant::now();
    let mut loaded = match read(input) {
        Ok(loaded) => loaded,
        Err((files, exit)) => return unreadable(input, files, &exit),
    };
    let read = begun.elapsed();
    if loaded.ecs.missing.is_some() && loaded.diagnostics.faults() == 0 {
        // Half of the mesh may be what runs: nothing can be said of the other half alone.
        let outcome = Err(Failure::Unreadable(UNOBSERVED.to_owned()));
        let ecs = ecs(&loaded);
        return Attempt {
            files: loaded.read,
            findings: Findings::default(),
            outcome,
            took: [read, Duration::ZERO, Duration::ZERO],
            ecs,
        };
    }
    let (checked, verdict) = examine(&mut loaded, &Options::default(), Role::Remark);
    let check = begun.elapsed().saturating_sub(read);
    let findings = findings(&loaded, &verdict);
    let files = std::mem::take(&mut loaded.read);
    let outcome = match checked {
        None => Err(Failure::Invalid { errors: findings.errors }),
        Some(checked) => state(&loaded, checked, form).map_err(Failure::Unreadable),
    };
    let compile = begun.elapsed().saturating_sub(read + check);
    let ecs = ecs(&loaded);
    Attempt { files, findings, outcome, took: [read, check, compile], ecs }
}

/// Nothing for a mesh that has nothing to do with it.
fn ecs(loaded: &Loaded) -> Option<Ecs> {
    let of = &loaded.ecs;
    if of.file.is_none() && of.missing.is_none() {
        return None;
    }
    let joined = of.joined.clone().unwrap_or_default();
    Some(Ecs {
        wants: of.wants.clone(),
        clusters: of.clusters.clone(),
        observed: of.missing.is_none(),
        quarantined: joined.quarantined,
        routable: joined.routable,
    })
}

fn state(loaded: &Loaded, checked: CheckedMesh, form: &Form) -> Result<State, String> {
    let checked = match &form.local {
        Some(range) => placed(loaded.mesh.as_ref().ok_or("there is no mesh")?, &loaded.sources, &checked, range)?,
        None => checked,
    };
    let names = Names {
        aliases: loaded.ecs.joined.as_ref().map(|joined| joined.aliases.clone()).unwrap_or_default(),
        discovered: loaded.mesh.iter().flat_map(|mesh| loaded.ecs.discovered(mesh)).collect(),
    };
    Ok(State::of(&snapshot(&checked, form)).named(names))
}

/// What every proxy is told.
pub(crate) fn snapshot(checked: &CheckedMesh, form: &Form) -> Snapshot {
    let (folder, delivery) = match &form.module_folder {
        Some(folder) => (folder.clone(), Delivery::Files),
        None => (crate::module::FOLDER.to_owned(), Delivery::Inside(Arc::from(artifacts::MODULE))),
    };
    let module: WasmModule = crate::module::in_folder(&folder);
    Snapshot::delivering(checked, &module, &delivery)
}

/// The same mesh at loopback addresses.
pub(crate) fn placed(
    mesh: &Mesh,
    sources: &Sources,
    checked: &CheckedMesh,
    range: &str,
) -> Result<CheckedMesh, String> {
    let subnet = Subnet::fixed(range).map_err(|error| error.to_string())?;
    let mut placement = local::place(mesh, checked, subnet).map_err(|error| error.to_string())?;
    local::place::hasten_health_checks(&mut placement.mesh);
    let mut diagnostics = Diagnostics::new();
    compiler::check(&placement.mesh, sources, &mut diagnostics).ok_or_else(|| {
        let findings = spec::render(&diagnostics, sources, spec::Color::Plain);
        format!("the mesh is right, but not at loopback addresses:\n{findings}")
    })
}

fn findings(loaded: &Loaded, verdict: &Verdict) -> Findings {
    let report = Report::of(loaded, verdict);
    Findings {
        each: spec::render_each(&verdict.findings, &loaded.sources, spec::Color::Plain),
        // Only JUnit's XML can fail.
        text: report::text(&report, Format::Text).unwrap_or_default(),
        json: report::text(&report, Format::Json).unwrap_or_default(),
        errors: verdict.findings.count(Severity::Error),
        warnings: verdict.findings.count(Severity::Warning),
    }
}

/// What cannot be read is told with what its file holds *before* it is tried once more: a file that is made again at this
/// moment is either read, or seen as changed by whoever watches it.
fn read(input: &Input) -> Result<Loaded, (Digests, Exit)> {
    let load = || load_unobserved(&input.path, &input.reading, Sources::new());
    load().or_else(|_| {
        let files: Digests = Reader::default().digests([&PathBuf::from(&input.path)]);
        load().map_err(|exit| (files, exit))
    })
}

fn unreadable(input: &Input, files: Digests, exit: &Exit) -> Attempt {
    // Whoever serves nothing but what runs waits for it as others do.
    let unobserved = input.reading.from == Some(From::Ecs) && !Path::new(&input.path).exists();
    let reason = if unobserved { UNOBSERVED.to_owned() } else { format!("{:#}", exit.error) };
    let outcome = Err(Failure::Unreadable(reason));
    // It wants what is read where nobody says anything.
    let ecs = unobserved.then(|| Ecs { wants: Some(Wants::default()), ..Ecs::default() });
    Attempt { files, findings: Findings::default(), outcome, took: [Duration::ZERO; 3], ecs }
}
