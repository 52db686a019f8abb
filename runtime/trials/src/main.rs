//! `make bench-control-plane`: every trial at the size that figures are quoted for, as a table.

use clap::{Parser, Subcommand};
use trials::replica::{self, Schedule};

#[derive(Debug, Parser)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// A control plane that trials kill
    #[command(hide = true)]
    Replica(Schedule),
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    match Cli::parse().command {
        Some(Command::Replica(schedule)) => replica::run(&schedule).await,
        None => Ok(()),
    }
}
