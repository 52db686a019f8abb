//! Where a mesh comes from: a file or standard input, in our language or another system's.

mod observed;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use control_plane::reconcile::Digests;
use control_plane::reconcile::files::Reader;
use sha2::{Digest as _, Sha256};
use spec::load::{FileError, Files};
use spec::{Diagnostics, FileId, Mesh, Sources, Syntax, Variables};

use crate::exit::Exit;
pub use observed::Ecs;

/// What every command reads.
#[derive(Args, Clone, Debug)]
pub struct Input {
    /// The mesh: a `.kdl` or `.yaml` file, or `-` for YAML on standard input
    pub path: String,
    #[command(flatten)]
    pub reading: Reading,
}

/// How an input is read.
#[derive(Args, Clone, Debug, Default)]
pub struct Reading {
    /// Read another system's format instead of the mesh language
    #[arg(long, value_enum)]
    pub from: Option<Format>,
    /// Let `${NAME}` in the mesh stand for TEXT, whatever the mesh says of it
    #[arg(long = "var", value_name = "NAME=TEXT", value_parser = variable)]
    pub variables: Vec<(String, String)>,
    /// Add what runs on ECS to the mesh: a file that `meshwright discover --record` wrote
    #[arg(long, value_name = "FILE")]
    pub observed: Option<String>,
    /// The tasks run on this machine, at loopback addresses: for trials without AWS
    #[arg(long, hide = true)]
    pub tasks_here: bool,
    /// Of what runs, take only what is in clusters that the mesh names, or in these if there are any: whoever follows a mesh
    /// may have read more
    #[arg(skip)]
    pub only_wanted: Option<BTreeSet<String>>,
}

/// Formats of other systems.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// The file of bent's `file` provider
    Bent,
    /// What runs on ECS and nothing else: a file that `meshwright discover --record` wrote
    Ecs,
}

/// A mesh as it was read, annotations applied, with every text it was made from.
pub struct Loaded {
    /// The name of the main file, as the user gave it.
    pub name: String,
    /// What was read as a mesh or as a part of one; without the main file if that is no text.
    pub texts: Vec<(FileId, Syntax)>,
    /// `None` when there is nothing that could be called a mesh.
    pub mesh: Option<Mesh>,
    pub sources: Sources,
    pub diagnostics: Diagnostics,
    /// Every file that was read, or that should have been, with what was in it. Not standard input.
    pub read: Digests,
    pub ecs: Ecs,
}

impl Loaded {
    /// The names of the files that the mesh is written in; the main one is the first.
    pub fn files(&self) -> Vec<String> {
        let parts = self.texts.iter().filter_map(|(file, _)| Some(self.sources.file(*file)?.name.clone()));
        std::iter::once(self.name.clone()).chain(parts.filter(|part| *part != self.name)).collect()
    }
}

/// Reads the input and everything it refers to. Mistakes are in the diagnostics; only a usage error or an unreadable
/// main file ends the command.
pub fn load(input: &Input) -> Result<Loaded, Exit> {
    load_beside(&input.path, &input.reading, Sources::new())
}

/// As [`load`]; the texts are added to others.
pub fn load_beside(path: &str, reading: &Reading, sources: Sources) -> Result<Loaded, Exit> {
    let mut loaded = load_unobserved(path, reading, sources)?;
    match loaded.ecs.missing.take() {
        Some(error) => Err(error.into()),
        None => Ok(loaded),
    }
}

/// As [`load_beside`]; what runs may be missing.
pub(crate) fn load_unobserved(path: &str, reading: &Reading, mut sources: Sources) -> Result<Loaded, Exit> {
    let mut diagnostics = Diagnostics::new();
    let syntax = syntax(path, reading)?;
    let (name, bytes) = match path {
        "-" => ("stdin", read_stdin()?),
        path => (path, read_main(path)?),
    };
    let folder = Folder::of(name);
    if path != "-" {
        folder.note(name, Some(&bytes));
    }
    let (mut mesh, texts, mut ecs) = match reading.from {
        Some(Format::Ecs) => {
            let (mesh, ecs) = observed::import(name, bytes, reading, &folder, &mut sources, &mut diagnostics);
            (mesh, Vec::new(), ecs)
        }
        from => {
            let main = spec::load::add_text(name, bytes, &mut sources, &mut diagnostics);
            let (mesh, texts) = match (main, from) {
                (None, _) => (None, Vec::new()),
                (Some(file), None) => {
                    let variables = Variables::fixed(reading.variables.iter().cloned());
                    let loaded =
                        spec::load::load_text(file, syntax, variables, &folder, &mut sources, &mut diagnostics);
                    (loaded.mesh, loaded.texts)
                }
                (Some(file), Some(_)) => {
                    (compiler::import::bent::import(file, &sources, &mut diagnostics), vec![(file, syntax)])
                }
            };
            (mesh, texts, Ecs::default())
        }
    };
    if let Some(observed) = reading.observed.as_ref().filter(|_| reading.from != Some(Format::Ecs)) {
        ecs = observed::join(&mut mesh, observed, reading, &folder, &mut sources, &mut diagnostics);
    }
    // Whoever joined what runs has done both.
    if let Some(mesh) = mesh.as_mut().filter(|_| ecs.joined.is_none()) {
        compiler::annotation::apply(mesh, &mut diagnostics);
        spec::load::attach(mesh, &folder, &mut sources, &mut diagnostics);
    }
    Ok(Loaded { name: name.to_owned(), texts, mesh, sources, diagnostics, read: folder.read.into_inner(), ecs })
}

/// One text of the mesh language, and nothing it refers to.
pub struct Text {
    /// As the user named it.
    pub name: String,
    pub syntax: Syntax,
    /// `None` if the bytes are no text.
    pub file: Option<FileId>,
}

/// Reads one file, or standard input, alone.
pub fn read_text(path: &str, sources: &mut Sources, diagnostics: &mut Diagnostics) -> Result<Text, Exit> {
    let syntax = syntax(path, &Reading::default())?;
    let (name, bytes) = match path {
        "-" => ("stdin", read_stdin()?),
        path => (path, read_main(path)?),
    };
    let file = spec::load::add_text(name, bytes, sources, diagnostics);
    Ok(Text { name: name.to_owned(), syntax, file })
}

/// The files of one folder of this machine, and below. Links that lead out of it are refused.
pub struct Folder {
    root: std::io::Result<PathBuf>,
    /// What was read, for whoever watches it.
    read: RefCell<Digests>,
}

impl Folder {
    /// The folder of a file.
    pub fn of(file: &str) -> Self {
        let folder = Path::new(file).parent().filter(|folder| !folder.as_os_str().is_empty());
        Self { root: folder.unwrap_or(Path::new(".")).canonicalize(), read: RefCell::default() }
    }

    /// Of what could not be read here, notes what whoever watches it reads: both change together.
    fn note(&self, path: &str, bytes: Option<&[u8]>) {
        let path = PathBuf::from(path);
        let digest = match bytes {
            Some(bytes) => Some(Sha256::digest(bytes).into()),
            None => Reader::default().digests([&path]).remove(&path).flatten(),
        };
        self.read.borrow_mut().insert(path, digest);
    }

    fn read_inside(&self, path: &str) -> std::io::Result<Vec<u8>> {
        let root = self.root.as_ref().map_err(|error| std::io::Error::from(error.kind()))?;
        let path = Path::new(path).canonicalize()?;
        if !path.starts_with(root) {
            return Err(std::io::Error::other("it leads out of the folder of the mesh"));
        }
        read_regular(&path)
    }
}

impl Files for Folder {
    fn read(&self, path: &str) -> Result<Vec<u8>, FileError> {
        let mut read = self.read_inside(path);
        self.note(path, read.as_deref().ok());
        if read.is_err() {
            // It may have been made again before what it holds was noted.
            read = self.read_inside(path);
            if let Ok(bytes) = &read {
                self.note(path, Some(bytes));
            }
        }
        read.map_err(|error| FileError::new(path, error.to_string()))
    }
}

fn read_main(path: &str) -> Result<Vec<u8>, FileError> {
    read_regular(Path::new(path)).map_err(|error| FileError::new(path, error.to_string()))
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

/// One byte more than is taken of any file, so that the language says that it is too long. Whoever watches files reads
/// as much of them.
const MAX_INPUT_BYTES: u64 = spec::load::MAX_MODULE_BYTES as u64 + 1;
const _: () = assert!(MAX_INPUT_BYTES == control_plane::reconcile::files::MAX_BYTES);

fn read_stdin() -> Result<Vec<u8>, Exit> {
    let mut bytes = Vec::new();
    std::io::stdin().lock().take(MAX_INPUT_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

pub(crate) fn variable(text: &str) -> Result<(String, String), String> {
    let (name, text) = text.split_once('=').ok_or("write `NAME=TEXT`")?;
    Ok((name.to_owned(), text.to_owned()))
}

fn syntax(path: &str, reading: &Reading) -> Result<Syntax, Exit> {
    if reading.from.is_some() || path == "-" {
        return Ok(Syntax::Yaml);
    }
    Syntax::of(path).ok_or_else(|| {
        Exit::usage(anyhow::anyhow!("`{path}` is neither .kdl nor .yaml; for another system's file add `--from`"))
    })
}
