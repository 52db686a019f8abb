//! One file a command.

mod check;
mod compile;
mod import;
mod rule;
mod up;

use clap::Subcommand;

use crate::exit::{Exit, ExitStatus};

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Find every mistake in a mesh, with file, line and help
    ///
    /// Findings as text go to standard error, formats for machines to standard output. The exit code is 1 if there are
    /// errors.
    Check(check::Arguments),
    /// Write the Envoy configuration of every node and gateway
    ///
    /// What was written is listed on standard output, findings go to standard error in every format.
    Compile(compile::Arguments),
    /// Translate another system's file into the mesh language
    Import(import::Arguments),
    /// List everything that can be found in a mesh, or explain one of it
    Rule(rule::Arguments),
    /// Run a mesh on this machine: a real Envoy for each node, echo workloads in place of services
    Up(up::Arguments),
}

pub(crate) fn run(command: Command) -> Result<ExitStatus, Exit> {
    match command {
        Command::Check(arguments) => check::run(&arguments),
        Command::Compile(arguments) => compile::run(&arguments),
        Command::Import(arguments) => import::run(&arguments),
        Command::Rule(arguments) => rule::run(&arguments),
        Command::Up(arguments) => up::run(&arguments),
    }
}
