//! `meshwright compile`: one folder of Envoy configuration a node.

mod compare;
mod lock;
mod output;
mod validate;

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::exit::{Exit, ExitStatus};
use crate::input::Input;
use crate::mesh::checked;
use crate::module;
use crate::report::{Format, Options, Role};
use crate::write::{self, Written};

#[derive(Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    input: Input,
    /// Folder to write: `NODE/envoy.yaml` for every node and gateway, `filters/SHA256.wasm`, `meshwright.lock`
    #[arg(short, long, value_name = "DIR", required_unless_present = "envoy")]
    output: Option<PathBuf>,
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
    let lock = lock::of(&ready);
    if let (true, Some(folder)) = (arguments.locked, &arguments.output)
        && !lock::holds(folder, &lock)?
    {
        return Ok(ExitStatus::Invalid);
    }
    if let Some(envoy) = &arguments.envoy
        && !validate::every_proxy(envoy, &ready)?
    {
        return Ok(ExitStatus::Invalid);
    }
    let Some(folder) = &arguments.output else { return Ok(ExitStatus::Ok) };
    let mut files = output::files(&ready, arguments);
    files.push((lock::FILE.to_owned(), lock.into_bytes()));
    if arguments.check {
        return compare::with(folder, &files, arguments.findings.format);
    }
    let mut changed = 0;
    for (path, bytes) in &files {
        let written = write::file(folder, path, bytes)?;
        changed += usize::from(written == Written::Changed);
        if arguments.findings.format == Format::Text {
            let mark = if written == Written::Changed { "wrote" } else { "same " };
            write::to_stdout(&format!("{mark}  {:>7}  {}\n", size(bytes.len()), folder.join(path).display()))?;
        }
    }
    let removed = output::remove_stale(folder, &files)?;
    if arguments.findings.format == Format::Text {
        let removed = if removed > 0 { format!(", {removed} removed") } else { String::new() };
        write::to_stdout(&format!("\n{} files in {}, {changed} changed{removed}\n", files.len(), folder.display()))?;
    }
    Ok(ExitStatus::Ok)
}

fn size(bytes: usize) -> String {
    format!("{} KiB", bytes.div_ceil(1024))
}
