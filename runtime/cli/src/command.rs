//! One file a command.

mod bootstrap;
mod check;
mod compile;
mod convert;
#[cfg(feature = "ecs")]
mod discover;
mod fmt;
mod import;
mod rule;
mod schema;
mod serve;
mod sidecar;
mod task_definition;
mod up;

use clap::Subcommand;

use crate::exit::{Exit, ExitStatus};

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write what an Envoy of a node or gateway starts with that asks a control plane, and what it serves without one
    ///
    /// The folder is made for a task's image: `envoy.yaml`, everything the node would be told now as `last-good.snapshot`
    /// and as `fallback.yaml`, modules of filters, and `sidecar.json` for `meshwright sidecar`.
    Bootstrap(Box<bootstrap::Arguments>),
    /// Find every mistake in a mesh, with file, line and help
    ///
    /// Findings as text go to standard error, formats for machines to standard output. The exit code is 1 if there are
    /// errors.
    Check(check::Arguments),
    /// Write the Envoy configuration of every node and gateway
    ///
    /// What was written is listed on standard output, findings go to standard error in every format.
    Compile(compile::Arguments),
    /// Write a mesh file in the other syntax: KDL or YAML
    ///
    /// Variables and inclusions stay as they are; comments are lost, and counted.
    Convert(convert::Arguments),
    /// Find out what runs on ECS: read it once, show it, and record it for `--observed` and `--from ecs`
    ///
    /// Environment variables, labels and tags that mean nothing to a mesh are never recorded. The exit code is 74 if AWS
    /// cannot be read; nothing is written then.
    #[cfg(feature = "ecs")]
    Discover(Box<discover::Arguments>),
    /// Lay mesh files out: indentation, spaces and blank lines; comments stay
    ///
    /// With `--check` nothing is written, and the exit code is 1 if a file would change.
    Fmt(fmt::Arguments),
    /// Translate another system's file into the mesh language
    Import(import::Arguments),
    /// List everything that can be found in a mesh, or explain one of it
    Rule(rule::Arguments),
    /// Print what can be said: a JSON Schema for editors, or every field with its forms
    Schema(schema::Arguments),
    /// Serve a mesh to Envoys over xDS, and follow its files: changes take effect without losing a request
    ///
    /// A mesh with mistakes changes nothing that is served: they are in the log and on the page /status. SIGHUP looks at
    /// the files at once, SIGTERM ends.
    Serve(Box<serve::Arguments>),
    #[command(name = serve::apart::NAME, hide = true)]
    CompileApart(serve::apart::Arguments),
    /// Run Envoy as the first process of a task: with what was good when no control plane answers, drained at the end
    ///
    /// Envoy speaks with the sidecar, which passes everything through to a control plane and keeps what Envoy
    /// acknowledged. SIGTERM drains, a second one hurries; SIGHUP reads certificates anew. `sidecar health` is for
    /// health checks of tasks.
    Sidecar(Box<sidecar::Arguments>),
    /// Add the sidecar to a task definition of ECS, or find what of one is wrong for a mesh
    ///
    /// Task definitions are JSON: what `aws ecs register-task-definition --cli-input-json` takes, what
    /// `describe-task-definition` prints, or CloudFormation.
    TaskDefinition(Box<task_definition::Arguments>),
    /// Run a mesh on this machine: a real Envoy for each node, echo workloads in place of services
    Up(up::Arguments),
}

pub(crate) fn run(command: Command) -> Result<ExitStatus, Exit> {
    match command {
        Command::Bootstrap(arguments) => bootstrap::run(&arguments),
        Command::Check(arguments) => check::run(&arguments),
        Command::Compile(arguments) => compile::run(&arguments),
        Command::Convert(arguments) => convert::run(&arguments),
        #[cfg(feature = "ecs")]
        Command::Discover(arguments) => discover::run(&arguments),
        Command::Fmt(arguments) => fmt::run(&arguments),
        Command::Import(arguments) => import::run(&arguments),
        Command::Rule(arguments) => rule::run(&arguments),
        Command::Schema(arguments) => schema::run(&arguments),
        Command::Serve(arguments) => serve::run(&arguments),
        Command::CompileApart(arguments) => serve::apart::run(&arguments),
        Command::Sidecar(arguments) => sidecar::run(&arguments),
        Command::TaskDefinition(arguments) => task_definition::run(&arguments),
        Command::Up(arguments) => up::run(&arguments),
    }
}
