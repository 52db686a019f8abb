//! The `meshwright` command.

use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;
use meshwright::{Cli, ExitStatus};

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let asked = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
            let printed = error.print();
            return match (asked, printed) {
                (true, Ok(())) => ExitStatus::Ok.into(),
                (true, Err(_)) => ExitStatus::InputOutput.into(),
                (false, _) => ExitStatus::Usage.into(),
            };
        }
    };
    let status = std::panic::catch_unwind(|| meshwright::run(cli)).unwrap_or(ExitStatus::Internal);
    status.into()
}
