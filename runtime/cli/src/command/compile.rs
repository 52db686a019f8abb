//! `meshwright compile`: one folder of Envoy configuration a node.

mod compare;
mod engines;
mod lock;
mod output;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::{Args, ValueEnum};
use compare::Comparison;
use compiler::Proxy;
use indicatif::ProgressBar;

use crate::exit::{Exit, ExitStatus};
use crate::input::Input;
use crate::mesh::{Ready, checked};
use crate::report::{Format, Options, Role};
use crate::write::{self, Written};
use crate::{module, validate};

#[derive(Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    input: Input,
    /// Folder to write: `NODE/envoy.yaml` for every node and gateway, `filters/SHA256.wasm`, `meshwright.lock`
    #[arg(short, long, value_name = "DIR", required_unless_present_any = ["envoy", "report"])]
    output: Option<PathBuf>,
    /// Only these nodes and gateways
    #[arg(long = "node", value_name = "NAME")]
    nodes: Vec<String>,
    /// What to write
    #[arg(long, value_enum, value_name = "FORM", value_delimiter = ',', default_value = "static")]
    emit: Vec<Form>,
    /// Write bootstraps of the form `static` as YAML or as JSON
    #[arg(long, value_enum, value_name = "SYNTAX", default_value = "yaml")]
    bootstrap: Syntax,
    /// Folder in which Envoy will find the wasm modules; relative: to its working directory
    #[arg(long, value_name = "DIR", default_value = module::FOLDER)]
    filters_folder: String,
    /// Folder in which Envoy will find `NODE/xds`, for the form `files`; relative: to its working directory
    #[arg(long, value_name = "DIR", default_value = ".")]
    config_folder: String,
    /// Write nothing; end with 2 if what is there differs
    #[arg(long, requires = "output")]
    check: bool,
    /// Refuse files and modules that are not those of `meshwright.lock` in the output folder
    #[arg(long, requires = "output")]
    locked: bool,
    /// Let this Envoy validate the whole configuration of every node, whatever form is written
    #[arg(long, value_name = "BINARY")]
    envoy: Option<PathBuf>,
    /// Tell what does the work of each policy in each Envoy, why, and what it costs
    #[arg(long, value_enum, value_name = "FORM")]
    report: Option<engines::Form>,
    /// Tell on standard error how long each stage took
    #[arg(long)]
    timings: bool,
    #[command(flatten)]
    findings: Options,
}

/// Forms of the same configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    /// Everything in one bootstrap a node
    Static,
    /// A bootstrap a node, and files below `NODE/xds` that Envoy watches
    Files,
    /// What a control plane would serve, as bytes: `NODE/snapshot/TYPE.pb`, and an index
    Snapshot,
    /// `compose.yaml`: a local run in containers
    Compose,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Syntax {
    Yaml,
    Json,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitStatus, Exit> {
    if arguments.emit.contains(&Form::Static) && arguments.emit.contains(&Form::Files) {
        return Err(Exit::usage(anyhow::anyhow!(
            "`static` and `files` both write NODE/envoy.yaml: ask for one of them"
        )));
    }
    let Some(ready) = checked(&arguments.input, &arguments.findings, Role::Remark)? else {
        return Ok(ExitStatus::Invalid);
    };
    let proxies = output::chosen(&ready.checked, &arguments.nodes)?;
    let lock = lock::of(&ready);
    if let (true, Some(folder)) = (arguments.locked, &arguments.output)
        && !lock::holds(folder, &lock)?
    {
        return Ok(ExitStatus::Invalid);
    }
    if let Some(envoy) = &arguments.envoy
        && !accepted(envoy, &ready)?
    {
        return Ok(ExitStatus::Invalid);
    }
    if let Some(form) = arguments.report {
        engines::tell(&ready.checked, &arguments.nodes, form)?;
    }
    let Some(folder) = &arguments.output else { return Ok(ExitStatus::Ok) };
    let begun = Instant::now();
    let status = if arguments.check {
        let mut comparison = Comparison::default();
        output::each(&ready, &proxies, arguments, &mut |path, bytes| comparison.add(folder, path, bytes))?;
        comparison.add(folder, lock::FILE, lock.as_bytes())?;
        comparison.end(folder, arguments.findings.format)?
    } else {
        written(&ready, &proxies, folder, &lock, arguments)?;
        ExitStatus::Ok
    };
    if arguments.timings {
        let [read, check] = ready.took.map(|span| span.as_secs_f64() * 1e3);
        let rest = begun.elapsed().as_secs_f64() * 1e3;
        write::to_stderr(&format!("read {read:.1} ms, check {check:.1} ms, lower and write {rest:.1} ms\n"))?;
    }
    // The process ends here: freeing a large mesh piece by piece would take as long as lowering it.
    std::mem::forget(ready);
    Ok(status)
}

/// Writes what has changed, and says so.
fn written(ready: &Ready, proxies: &[Proxy], folder: &Path, lock: &str, arguments: &Arguments) -> Result<(), Exit> {
    let aloud = arguments.findings.format == Format::Text;
    let (mut changed, mut paths) = (0, BTreeSet::new());
    let mut put = |path: &str, bytes: &[u8]| -> Result<(), Exit> {
        let written = write::file(folder, path, bytes)?;
        changed += usize::from(written == Written::Changed);
        paths.insert(folder.join(path));
        let mark = if written == Written::Changed { "wrote" } else { "same " };
        write::to_stdout(&format!("{mark}  {:>7}  {}\n", size(bytes.len()), folder.join(path).display()))?;
        Ok(())
    };
    output::each(ready, proxies, arguments, &mut put)?;
    put(lock::FILE, lock.as_bytes())?;
    let removed = output::remove_stale(&paths)?;
    if aloud {
        let removed = if removed > 0 { format!(", {removed} removed") } else { String::new() };
        write::to_stdout(&format!("\n{} files in {}, {changed} changed{removed}\n", paths.len(), folder.display()))?;
    }
    Ok(())
}

/// Whether a real Envoy takes every proxy's configuration. What it says against them goes to standard error.
fn accepted(envoy: &Path, ready: &Ready) -> Result<bool, Exit> {
    let binary = local::find(Some(envoy))?;
    let bar = ProgressBar::new(0).with_message("validating");
    let (verdicts, count) = validate::every_proxy(&binary, &ready.checked, &bar)?;
    bar.finish_and_clear();
    let mut refused = 0;
    for verdict in verdicts {
        for warning in &verdict.warnings {
            write::to_stderr(&format!(
                "warning: of the configuration of `{}` Envoy says\n  {warning}\n",
                verdict.name
            ))?;
        }
        if let Some(reason) = &verdict.refused {
            refused += 1;
            write::to_stderr(&format!("error: Envoy refuses the configuration of `{}`\n  {reason}\n", verdict.name))?;
        }
    }
    let accepted = count - refused;
    write::to_stderr(&format!("{accepted} of {count} configurations accepted by {}\n", envoy.display()))?;
    Ok(refused == 0)
}

fn size(bytes: usize) -> String {
    format!("{} KiB", bytes.div_ceil(1024))
}
