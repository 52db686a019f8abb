//! Where a mesh comes from: a file or standard input, in our language or another system's.

use std::io::Read;
use std::path::Path;

use clap::{Args, ValueEnum};
use spec::load::{FileError, Files};
use spec::{Diagnostics, Mesh, Sources, Syntax};

use crate::exit::Exit;

/// What every command reads.
#[derive(Args, Clone, Debug)]
pub struct Input {
    /// The mesh: a `.kdl` or `.yaml` file, or `-` for YAML on standard input
    pub path: String,
    /// Read another system's format instead of the mesh language
    #[arg(long, value_enum)]
    pub from: Option<Format>,
}

/// Formats of other systems.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// The file of bent's `file` provider
    Bent,
}

/// A mesh as it was read, annotations applied, with every text it was made from.
pub struct Loaded {
    /// `None` when there is nothing that could be called a mesh.
    pub mesh: Option<Mesh>,
    pub sources: Sources,
    pub diagnostics: Diagnostics,
}

/// Reads the input and everything it refers to. Mistakes are in the diagnostics; only a usage error or an unreadable
/// main file ends the command.
pub fn load(input: &Input) -> Result<Loaded, Exit> {
    let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
    let syntax = syntax(input)?;
    let (name, bytes) = match input.path.as_str() {
        "-" => ("stdin", read_stdin()?),
        path => (path, Disk.read(path)?),
    };
    let mut mesh =
        spec::load::add_text(name, bytes, &mut sources, &mut diagnostics).and_then(|file| match input.from {
            None => spec::parse(file, syntax, &sources, &mut diagnostics),
            Some(Format::Bent) => compiler::import::bent::import(file, &sources, &mut diagnostics),
        });
    if let Some(mesh) = &mut mesh {
        compiler::annotation::apply(mesh, &mut diagnostics);
        spec::load::attach(mesh, name, &Disk, &mut sources, &mut diagnostics);
    }
    Ok(Loaded { mesh, sources, diagnostics })
}

/// The files of this machine, as the user named them.
pub struct Disk;

impl Files for Disk {
    fn read(&self, path: &str) -> Result<Vec<u8>, FileError> {
        read_regular(Path::new(path)).map_err(|error| FileError::new(path, error.to_string()))
    }
}

/// Regular files only: a device or a pipe would never end.
fn read_regular(path: &Path) -> std::io::Result<Vec<u8>> {
    let metadata = std::fs::metadata(path)?;
    if !metadata.is_file() {
        return Err(std::io::Error::other("not a regular file"));
    }
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(MAX_INPUT_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// One byte more than is read of a text, so that the language says that it is too long.
const MAX_INPUT_BYTES: u64 = spec::load::MAX_BYTES as u64 + 1;

fn read_stdin() -> Result<Vec<u8>, Exit> {
    let mut bytes = Vec::new();
    std::io::stdin().lock().take(MAX_INPUT_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn syntax(input: &Input) -> Result<Syntax, Exit> {
    if input.from.is_some() || input.path == "-" {
        return Ok(Syntax::Yaml);
    }
    Syntax::of(&input.path).ok_or_else(|| {
        Exit::usage(anyhow::anyhow!(
            "`{}` is neither .kdl nor .yaml; for another system's file add `--from`",
            input.path
        ))
    })
}
