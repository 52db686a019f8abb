//! Text to a `Mesh`, in either syntax.

use std::collections::BTreeSet;

use crate::codes;
use crate::decode;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::mesh::Mesh;
use crate::source::{FileId, Sources, Span};
use crate::syntax::tree::Node;
use crate::syntax::{self, Syntax};
use crate::variables::{self, Variables};

/// Findings of one file that are reported one by one.
const MAX_FINDINGS: usize = 1_000;

/// Reads a file of `sources`. Everything wrong is reported in the order of the text, and what it was wrong with is left out:
/// after errors the mesh says less than the text. `None` only if there is no mesh at all. Never panics.
///
/// What the file includes is not read: [`crate::load::load`] does that.
pub fn parse(file: FileId, syntax: Syntax, sources: &Sources, diagnostics: &mut Diagnostics) -> Option<Mesh> {
    read(file, syntax, sources, &mut Variables::default(), decode::mesh, diagnostics)
}

/// As [`parse`]; `variables` stand for their texts, and those of the file are added to them.
pub(crate) fn parse_main(
    file: FileId,
    syntax: Syntax,
    sources: &Sources,
    variables: &mut Variables,
    diagnostics: &mut Diagnostics,
) -> Option<Mesh> {
    read(file, syntax, sources, variables, decode::mesh, diagnostics)
}

/// Reads a file that another one includes: what stands in the block of a mesh, without the mesh.
pub(crate) fn parse_fragment(
    file: FileId,
    syntax: Syntax,
    sources: &Sources,
    variables: &mut Variables,
    diagnostics: &mut Diagnostics,
) -> Option<Mesh> {
    read(file, syntax, sources, variables, decode::fragment, diagnostics)
}

fn read(
    file: FileId,
    syntax: Syntax,
    sources: &Sources,
    variables: &mut Variables,
    decode: fn(Vec<Node>, FileId, &mut Diagnostics) -> Option<Mesh>,
    diagnostics: &mut Diagnostics,
) -> Option<Mesh> {
    let text = sources.file(file).map_or("", |source| source.text.as_str());
    let mut found = Diagnostics::new().with_room_for(MAX_FINDINGS);
    let mut nodes = syntax::read(text, file, syntax, &mut found);
    let unknown = variables::substitute(&mut nodes, variables, &mut found);
    let before = found.iter().count();
    let mut decoded = found.clone().with_room_for(MAX_FINDINGS - before);
    let mesh = decode(nodes, file, &mut decoded);
    let more = decoded.dropped();
    // A reference that stands for nothing is no duration and no name either.
    let unknown: BTreeSet<Span> = unknown.into_iter().collect();
    let own = |diagnostic: &Diagnostic| !diagnostic.span().is_some_and(|span| unknown.contains(&span));
    found.extend(decoded.into_iter().skip(before).filter(own));
    found.sort();
    diagnostics.extend(found);
    if more > 0 {
        let message = format!("{more} more findings in this file are not shown");
        diagnostics.push(Diagnostic::error(codes::TOO_LARGE, Span::new(file, 0, 0), message));
    }
    mesh
}
