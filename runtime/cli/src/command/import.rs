//! `meshwright import`: another system's file in the mesh language.

use clap::{Args, ValueEnum};
use spec::Syntax;

use crate::exit::{Exit, ExitStatus};
use crate::input::{self, Input, Reading, load};
use crate::judge::{Stages, judge};
use crate::report::{self, Options, Report, Role};

#[derive(Args, Debug)]
pub struct Arguments {
    /// The other system's file, or `-` for standard input
    path: String,
    /// The system that the file is of
    #[arg(long, value_enum)]
    from: input::Format,
    /// The syntax to write
    #[arg(long, value_enum, default_value_t)]
    to: Target,
    #[command(flatten)]
    findings: Options,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Target {
    #[default]
    Kdl,
    Yaml,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitStatus, Exit> {
    let reading = Reading { from: Some(arguments.from), ..Reading::default() };
    let mut loaded = load(&Input { path: arguments.path.clone(), reading })?;
    let verdict = judge(&mut loaded, Stages::Some, &arguments.findings.levels);
    report::print(&Report::of(&loaded, &verdict), arguments.findings.format, Role::Remark)?;
    match loaded.mesh {
        Some(mesh) if !verdict.findings.has_errors() => {
            let syntax = match arguments.to {
                Target::Kdl => Syntax::Kdl,
                Target::Yaml => Syntax::Yaml,
            };
            print!("{}", spec::print(&mesh, syntax));
            Ok(ExitStatus::Ok)
        }
        _ => Ok(ExitStatus::Invalid),
    }
}
