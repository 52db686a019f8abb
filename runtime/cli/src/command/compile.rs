//! `meshwright compile`: one folder of Envoy configuration a node.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::exit::{Exit, ExitStatus};
use crate::input::Input;
use crate::mesh::checked;
use crate::module;
use crate::report::{Format, Options, Role};
use crate::write::{self, Written};

#[derive(Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    input: Input,
    /// Folder to write: `NODE/envoy.yaml` for every node and gateway, `filters/SHA256.wasm`
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
    /// Folder in which Envoy will find the wasm modules; relative: to its working directory
    #[arg(long, value_name = "DIR", default_value = module::FOLDER)]
    filters_folder: String,
    #[command(flatten)]
    findings: Options,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitStatus, Exit> {
    let Some(ready) = checked(&arguments.input, &arguments.findings, Role::Remark)? else {
        return Ok(ExitStatus::Invalid);
    };
    let files = compiler::compile(&ready.checked, &module::in_folder(&arguments.filters_folder));
    let texts = files.iter().map(|(path, text)| (path.as_str(), text.as_bytes()));
    let wasm = module::output_path();
    let mut changed = 0;
    for (path, bytes) in texts.chain([(wasm.as_str(), artifacts::MODULE)]) {
        changed += usize::from(output(&arguments.output, path, bytes)? == Written::Changed);
    }
    if arguments.findings.format == Format::Text {
        println!("\n{} files in {}, {changed} changed", files.len() + 1, arguments.output.display());
    }
    Ok(ExitStatus::Ok)
}

fn output(root: &Path, path: &str, bytes: &[u8]) -> Result<Written, Exit> {
    let written = write::file(root, path, bytes)?;
    let mark = if written == Written::Changed { "wrote" } else { "same " };
    println!("{mark}  {:>7}  {}", size(bytes.len()), root.join(path).display());
    Ok(written)
}

fn size(bytes: usize) -> String {
    format!("{} KiB", bytes.div_ceil(1024))
}
