//! `meshwright fmt`: mesh files in their usual layout, comments and all.

use std::path::Path;

use clap::Args;
use spec::{Diagnostics, Sources};

use crate::exit::{Exit, ExitStatus};
use crate::folder::expanded;
use crate::input::{Text, read_text};
use crate::report::{self, Format, Report, Role};
use crate::write::{self, to_stdout};

#[derive(Args, Debug)]
pub struct Arguments {
    /// Files to lay out, or folders of them; `-` lays YAML out from standard input to standard output
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<String>,
    /// Change nothing; list the files that would change, and exit with 1 if there are any
    #[arg(long)]
    check: bool,
    /// How findings are printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitStatus, Exit> {
    let (mut sources, mut found) = (Sources::new(), Diagnostics::new());
    let (mut files, mut changed) = (Vec::new(), 0);
    for path in expanded(&arguments.paths, Path::is_file)? {
        let Text { name, syntax, file } = read_text(&path, &mut sources, &mut found)?;
        files.push(name);
        let Some((file, source)) = file.and_then(|file| Some((file, sources.file(file)?))) else { continue };
        let Some(text) = spec::format(&source.text, syntax, file, &mut found) else { continue };
        let differs = text != source.text;
        changed += usize::from(differs);
        match (path.as_str(), arguments.check) {
            ("-", false) => to_stdout(&text)?,
            (_, false) if differs => {
                write::in_place(Path::new(&path), text.as_bytes())?;
                to_stdout(&format!("laid out  {path}\n"))?;
            }
            (_, true) if differs => to_stdout(&format!("would change  {path}\n"))?,
            _ => {}
        }
    }
    let report = Report { files, sources: &sources, findings: &found, allowed: &[] };
    report::print(&report, arguments.format, Role::Remark)?;
    let refused = found.has_errors() || (arguments.check && changed > 0);
    Ok(if refused { ExitStatus::Invalid } else { ExitStatus::Ok })
}
