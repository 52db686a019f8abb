//! Text to a `Mesh`, in either syntax.

use crate::decode;
use crate::diagnostic::Diagnostics;
use crate::mesh::Mesh;
use crate::source::{FileId, Sources};
use crate::syntax::{self, Syntax};

/// Reads a file of `sources`. Everything wrong is reported in the order of the text, and what it was wrong with is left out:
/// after errors the mesh says less than the text. `None` only if there is no mesh at all. Never panics.
pub fn parse(file: FileId, syntax: Syntax, sources: &Sources, diagnostics: &mut Diagnostics) -> Option<Mesh> {
    let text = sources.file(file).map_or("", |source| source.text.as_str());
    let mut found = Diagnostics::new();
    let nodes = syntax::read(text, file, syntax, &mut found);
    let mesh = decode::mesh(nodes, file, &mut found);
    found.sort();
    found.iter().for_each(|diagnostic| diagnostics.push(diagnostic.clone()));
    mesh
}
