//! `meshwright check`: every mistake at once.

use clap::Args;

use crate::exit::{Exit, ExitStatus};
use crate::input::Input;
use crate::mesh::checked;
use crate::report::{Format, Options, Role};

#[derive(Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    input: Input,
    #[command(flatten)]
    findings: Options,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitStatus, Exit> {
    let Some(ready) = checked(&arguments.input, &arguments.findings, Role::Result)? else {
        return Ok(ExitStatus::Invalid);
    };
    if arguments.findings.format == Format::Text {
        let mesh = &ready.checked;
        println!(
            "mesh {}: {}, {}, {}",
            mesh.name(),
            counted(mesh.services().count(), "service"),
            counted(mesh.nodes().count(), "node"),
            counted(mesh.gateways().count(), "gateway"),
        );
    }
    Ok(ExitStatus::Ok)
}

fn counted(count: usize, one: &str) -> String {
    format!("{count} {one}{}", if count == 1 { "" } else { "s" })
}
