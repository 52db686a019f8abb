//! The one door to files: the language asks for a text by its name, the runtime fetches it.

use crate::codes;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::mesh::{BasicAuth, Mesh};
use crate::parse::parse;
use crate::source::{FileId, SourceFile, Sources, Span};
use crate::syntax::Syntax;

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

/// Reads a mesh. The files it names are read by [`attach`], after annotations have been applied: those name files too.
///
/// A main file that cannot be read is a diagnostic too: its place is the beginning of the file, its text empty.
pub fn load(
    path: &str,
    syntax: Syntax,
    files: &dyn Files,
    sources: &mut Sources,
    diagnostics: &mut Diagnostics,
) -> Option<Mesh> {
    let file = match files.read(path) {
        Ok(bytes) => add_text(path, bytes, sources, diagnostics)?,
        Err(error) => {
            let file = sources.add(SourceFile::public(path, ""));
            let message = format!("the mesh cannot be read: {}", error.reason);
            diagnostics.push(Diagnostic::error(codes::UNREADABLE_FILE, Span::new(file, 0, 0), message));
            return None;
        }
    };
    parse(file, syntax, sources, diagnostics)
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

/// Reads the htpasswd files that a mesh names, relative to `base`, the path of the file that names them.
///
/// They become secret sources under their [`resolved`] name, each once.
pub fn attach(mesh: &Mesh, base: &str, files: &dyn Files, sources: &mut Sources, diagnostics: &mut Diagnostics) {
    let of_services = mesh.services.iter().filter_map(|service| service.basic_auth.as_ref());
    let of_gateways = mesh.gateways.iter().filter_map(|gateway| gateway.basic_auth.as_ref());
    for auth in of_services.chain(of_gateways) {
        if let Err(refused) = attach_one(auth, base, files, sources) {
            diagnostics.push(*refused);
        }
    }
}

fn attach_one(auth: &BasicAuth, base: &str, files: &dyn Files, sources: &mut Sources) -> Result<(), Box<Diagnostic>> {
    let (written, span) = (&auth.htpasswd_file.value, auth.htpasswd_file.span);
    let refuse = |message: String| Diagnostic::error(codes::UNREADABLE_FILE, span, message);
    if !stays_inside(written) {
        let outside = refuse("the file is outside the folder of the mesh".to_owned())
            .label("no `..`, and no path from the root")
            .help("put the file beside the mesh, or below it");
        return Err(Box::new(outside));
    }
    let path = resolved(base, written);
    if sources.find(&path).is_some() {
        return Ok(());
    }
    let bytes = files.read(&path).map_err(|error| {
        let missing = refuse(format!("`{path}` cannot be read: {}", error.reason));
        Box::new(missing.help("put the file beside the mesh, or correct `htpasswd-file`"))
    })?;
    // The bytes are secret: say that they are wrong, never which they are.
    if bytes.len() > MAX_BYTES {
        return Err(Box::new(refuse(format!("`{path}` is larger than {MAX_BYTES} bytes"))));
    }
    let text = String::from_utf8(bytes).map_err(|_| Box::new(refuse(format!("`{path}` is not UTF-8 text"))))?;
    sources.add(SourceFile::secret(path, text));
    Ok(())
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
}

impl std::fmt::Display for FileError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "cannot read {}: {}", self.path, self.reason)
    }
}

impl std::error::Error for FileError {}
