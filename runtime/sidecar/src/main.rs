//! `meshwright-sidecar`: the command `meshwright sidecar` alone, for small images.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;
use meshwright_sidecar::command::{Arguments, CommandError, execute};

/// Runs beside Envoy: passes xDS through, keeps the last good state, supervises.
#[derive(Debug, Parser)]
#[command(name = "meshwright-sidecar", version, about)]
struct Cli {
    #[command(flatten)]
    arguments: Arguments,
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let asked = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
            drop(error.print());
            return ExitCode::from(if asked { 0 } else { 64 });
        }
    };
    let starter = vec![OsString::from("/proc/self/exe")];
    match execute(&cli.arguments, starter) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(if matches!(error, CommandError::Usage(_)) { 64 } else { 74 })
        }
    }
}
