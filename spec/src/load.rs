//! The one door to files: the language asks for a text by its name, the runtime fetches it.

pub use crate::attach::{MAX_MODULE_BYTES, attach};
use crate::codes;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::include::include;
use crate::mesh::Mesh;
use crate::parse::parse_main;
use crate::source::{FileId, SourceFile, Sources, Span, Spanned};
use crate::syntax::Syntax;
use crate::variables::Variables;

/// Longest text that is read. Larger ones are refused, so that every answer comes soon.
pub const MAX_BYTES: usize = 5_000_000;

/// Where texts come from.
pub trait Files {
    /// The bytes of a file. Paths are as users write them: relative to wherever the runtime reads from, with `/`.
    fn read(&self, path: &str) -> Result<Vec<u8>, FileError>;
}

/// Why a file could not be read, in the words of whoever tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileError {
    path: String,
    reason: String,
}

/// A mesh and the texts that are written in the language: the main file's, and those it includes.
#[derive(Debug)]
pub struct Loaded {
    /// `None` when there is nothing that could be called a mesh.
    pub mesh: Option<Mesh>,
    pub texts: Vec<(FileId, Syntax)>,
}

/// Reads a mesh and what it includes. Other files that it names are read by [`attach`], after annotations have been
/// applied: those name files too. Afterwards the mesh has neither inclusions nor variables.
///
/// A main file that cannot be read is a diagnostic too: its place is the beginning of the file, its text empty.
pub fn load(
    path: &str,
    syntax: Syntax,
    variables: Variables,
    files: &dyn Files,
    sources: &mut Sources,
    diagnostics: &mut Diagnostics,
) -> Loaded {
    let nothing = Loaded { mesh: None, texts: Vec::new() };
    match files.read(path) {
        Ok(bytes) => match add_text(path, bytes, sources, diagnostics) {
            Some(file) => load_text(file, syntax, variables, files, sources, diagnostics),
            None => nothing,
        },
        Err(error) => {
            let file = sources.add(SourceFile::public(path, ""));
            let message = format!("the mesh cannot be read: {}", error.reason);
            diagnostics.push(Diagnostic::error(codes::UNREADABLE_FILE, Span::new(file, 0, 0), message));
            nothing
        }
    }
}

/// As [`load`], for a text that is there already.
pub fn load_text(
    file: FileId,
    syntax: Syntax,
    mut variables: Variables,
    files: &dyn Files,
    sources: &mut Sources,
    diagnostics: &mut Diagnostics,
) -> Loaded {
    let main = sources.file(file).map_or(String::new(), |source| source.name.clone());
    let mut texts = vec![(file, syntax)];
    let mut mesh = parse_main(file, syntax, sources, &mut variables, diagnostics);
    if let Some(mesh) = &mut mesh {
        texts.extend(include(mesh, &main, &variables, files, sources, diagnostics));
    }
    Loaded { mesh, texts }
}

/// Adds a text to the sources; a diagnostic if its bytes are no text, or too many.
pub fn add_text(path: &str, bytes: Vec<u8>, sources: &mut Sources, diagnostics: &mut Diagnostics) -> Option<FileId> {
    if bytes.len() > MAX_BYTES {
        let file = sources.add(SourceFile::public(path, ""));
        let message = format!("the file has {} bytes; at most {MAX_BYTES} are read", bytes.len());
        diagnostics.push(Diagnostic::error(codes::TOO_LARGE, Span::new(file, 0, 0), message));
        return None;
    }
    match String::from_utf8(bytes) {
        Ok(text) => Some(sources.add(SourceFile::public(path, text))),
        Err(error) => {
            let valid = error.utf8_error().valid_up_to();
            let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
            let file = sources.add(SourceFile::public(path, text));
            let place = Span::new(file, valid, valid + '\u{fffd}'.len_utf8());
            diagnostics.push(
                Diagnostic::error(codes::NOT_UTF8, place, "the file is not UTF-8 text")
                    .label("this byte is part of no character")
                    .help("save the file as UTF-8"),
            );
            None
        }
    }
}

/// The path of a file that a text names: beside that text's file, or below.
pub(crate) fn named_path(named: Spanned<&str>, sources: &Sources) -> Result<String, Box<Diagnostic>> {
    if !stays_inside(named.value) {
        let message = "the file is outside the folder of the mesh";
        let outside = Diagnostic::error(codes::UNREADABLE_FILE, named.span, message)
            .label("no `..`, and no path from the root")
            .help("put the file beside the mesh, or below it");
        return Err(Box::new(outside));
    }
    let base = sources.file(named.span.file).map_or("", |source| source.name.as_str());
    Ok(resolved(base, named.value))
}

/// The name under which a file that `base` names is found in the sources: beside `base`.
pub fn resolved(base: &str, path: &str) -> String {
    match base.rsplit_once('/') {
        Some((folder, _)) => format!("{folder}/{path}"),
        None => path.to_owned(),
    }
}

/// Relative, and never upwards.
fn stays_inside(path: &str) -> bool {
    !path.is_empty()
        && !path.starts_with('/')
        && !path.contains('\0')
        && !path.split(['/', '\\']).any(|part| part == "..")
}

impl FileError {
    pub fn new(path: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { path: path.into(), reason: reason.into() }
    }

    /// Why, in the words of whoever tried.
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

impl std::fmt::Display for FileError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "cannot read {}: {}", self.path, self.reason)
    }
}

impl std::error::Error for FileError {}
