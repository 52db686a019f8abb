//! `make bench-control-plane`: every trial at the size that figures are quoted for, as a table.

mod rows;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use trials::replica::{self, Schedule};
use trials::table::table;

/// Real Envoys under load, while what they are told changes, breaks or is killed
#[derive(Debug, Parser)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    arguments: Arguments,
}

#[derive(clap::Args, Debug)]
struct Arguments {
    /// Trials to run, such as `a1 a3`; by default all
    trials: Vec<String>,
    /// Seconds instead of minutes
    #[arg(long)]
    quick: bool,
    /// Five minutes without a control plane instead of 25 seconds
    #[arg(long)]
    long: bool,
    /// The Envoy to run; by default `envoy` on PATH or in target/venv
    #[arg(long, env = "ENVOY", value_name = "PATH")]
    envoy: Option<PathBuf>,
    /// The command to run; by default the one beside this program
    #[arg(long, value_name = "PATH")]
    meshwright: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// A control plane that trials kill
    #[command(hide = true)]
    Replica(Schedule),
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let Cli { command, arguments } = Cli::parse();
    if let Some(Command::Replica(schedule)) = command {
        replica::run(&schedule).await?;
        return Ok(ExitCode::SUCCESS);
    }
    let rows = rows::all(&arguments).await?;
    println!("{}", table(&rows));
    if rows::chosen(&arguments, "a11") {
        rows::many_streams(&arguments).await?;
    }
    Ok(if rows.iter().all(|row| row.met) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
