//! `meshwright sidecar`: beside Envoy in a task.

use std::ffi::OsString;

pub(crate) use sidecar::command::Arguments;
use sidecar::command::{CommandError, execute};

use crate::exit::{Exit, ExitStatus};

pub(crate) fn run(arguments: &Arguments) -> Result<ExitStatus, Exit> {
    let starter = ["/proc/self/exe", "sidecar"].map(OsString::from).to_vec();
    match execute(arguments, starter) {
        Ok(0) => Ok(ExitStatus::Ok),
        // Whatever Envoy said: nothing here needs to be put in order any more.
        Ok(code) => std::process::exit(i32::from(code)),
        Err(error @ CommandError::Usage(_)) => Err(Exit::usage(error)),
        Err(error) => Err(error.into()),
    }
}
