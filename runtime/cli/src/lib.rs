//! The commands of `meshwright`: results on standard output, remarks on standard error.

pub mod command;
pub mod exit;
mod folder;
pub mod input;
pub mod judge;
pub mod launch;
pub mod levels;
pub mod mesh;
pub mod module;
mod pages;
pub mod report;
pub mod trace;
pub mod validate;
pub mod write;

use clap::Parser;
pub use exit::{Exit, ExitStatus};

/// A service mesh for AWS ECS, Fargate and EC2 without Kubernetes.
#[derive(Debug, Parser)]
#[command(name = "meshwright", version, about, disable_help_subcommand = true)]
pub struct Cli {
    #[command(subcommand)]
    pub command: command::Command,
}

/// Runs one command to its end and reports what stopped it.
pub fn run(cli: Cli) -> ExitStatus {
    match command::run(cli.command) {
        Ok(status) => status,
        Err(exit) => {
            eprintln!("error: {:#}", exit.error);
            exit.status
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn no_two_arguments_of_a_command_contradict_each_other() {
        super::Cli::command().debug_assert();
    }
}
