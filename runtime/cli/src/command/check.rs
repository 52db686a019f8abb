//! `meshwright check`: every mistake at once.

use clap::Args;

use crate::exit::{Exit, ExitStatus};
use crate::input::Input;
use crate::mesh::ready;
use crate::report::Format;

#[derive(Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    input: Input,
    /// How findings are printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitStatus, Exit> {
    let Some(ready) = ready(&arguments.input, arguments.format)? else { return Ok(ExitStatus::Invalid) };
    if arguments.format == Format::Text {
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
