//! `meshwright convert`: a file of the mesh language in its other syntax.

use clap::{Args, ValueEnum};
use spec::{Diagnostics, Sources, Syntax};

use crate::exit::{Exit, ExitStatus};
use crate::input::{Text, read_text};
use crate::report::{self, Format, Report, Role};
use crate::write::to_stdout;

#[derive(Args, Debug)]
pub struct Arguments {
    /// The file: `.kdl` or `.yaml`, or `-` for YAML on standard input
    path: String,
    /// The syntax to write
    #[arg(long, value_enum)]
    to: Target,
    /// How findings are printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Target {
    Kdl,
    Yaml,
}

impl From<Target> for Syntax {
    fn from(target: Target) -> Self {
        match target {
            Target::Kdl => Self::Kdl,
            Target::Yaml => Self::Yaml,
        }
    }
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitStatus, Exit> {
    let (mut sources, mut found) = (Sources::new(), Diagnostics::new());
    let Text { name, syntax, file } = read_text(&arguments.path, &mut sources, &mut found)?;
    let text = file.and_then(|file| spec::convert(file, syntax, arguments.to.into(), &sources, &mut found));
    found.sort();
    let report = Report { files: vec![name], sources: &sources, findings: &found, allowed: &[] };
    report::print(&report, arguments.format, Role::Remark)?;
    match text {
        Some(text) if !found.has_errors() => {
            to_stdout(&text)?;
            Ok(ExitStatus::Ok)
        }
        _ => Ok(ExitStatus::Invalid),
    }
}
