//! One file a command.

mod check;
mod compile;
mod import;
mod up;

use clap::Subcommand;

use crate::exit::{Exit, ExitStatus};

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Find every mistake in a mesh, with file, line and help
    Check(check::Arguments),
    /// Write the Envoy configuration of every node and gateway
    Compile(compile::Arguments),
    /// Translate another system's file into the mesh language
    Import(import::Arguments),
    /// Run a mesh on this machine: a real Envoy for each node, echo workloads in place of services
    Up(up::Arguments),
}

pub(crate) fn run(command: Command) -> Result<ExitStatus, Exit> {
    match command {
        Command::Check(arguments) => check::run(&arguments),
        Command::Compile(arguments) => compile::run(&arguments),
        Command::Import(arguments) => import::run(&arguments),
        Command::Up(arguments) => up::run(&arguments),
    }
}
