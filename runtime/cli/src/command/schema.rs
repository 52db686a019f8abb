//! `meshwright schema`: what can be said, for editors.

use clap::{Args, ValueEnum};

use crate::exit::{Exit, ExitStatus};
use crate::write::to_stdout;

#[derive(Args, Debug)]
pub struct Arguments {
    /// What to print
    #[arg(value_enum, default_value_t)]
    what: What,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum What {
    /// JSON Schema of the mesh language in YAML
    #[default]
    Yaml,
    /// Every field with its form in KDL and in YAML, in Markdown
    Kdl,
    /// JSON Schema of annotations: a mapping of keys and texts
    Annotations,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitStatus, Exit> {
    to_stdout(&match arguments.what {
        What::Yaml => spec::schema::json_schema_text(),
        What::Kdl => spec::schema::page(),
        What::Annotations => compiler::annotation::schema(),
    })?;
    Ok(ExitStatus::Ok)
}
