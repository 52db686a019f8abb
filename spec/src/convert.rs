//! One syntax to the other: the same mesh, its values as they were written.

use crate::canonical;
use crate::codes;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::parse::parse;
use crate::shape;
use crate::source::{FileId, Sources, Span};
use crate::syntax::{self, Syntax, comments};

/// The text of a file in the other syntax or, in its own, in canonical form. Reading it gives an equal mesh.
///
/// References to variables and the names of included files stay as they are. Comments are lost: a warning counts them.
/// Everything wrong is reported, apart from variables that this file does not declare. `None` after errors.
pub fn convert(
    file: FileId,
    from: Syntax,
    to: Syntax,
    sources: &Sources,
    diagnostics: &mut Diagnostics,
) -> Option<String> {
    let mut found = Diagnostics::new();
    parse(file, from, sources, &mut found);
    // Another file, or whoever starts the compiler, may say what they stand for.
    let found: Diagnostics = found.into_iter().filter(|found| found.code != codes::UNKNOWN_VARIABLE).collect();
    let failed = found.has_errors();
    diagnostics.extend(found);
    if failed {
        return None;
    }
    let text = sources.file(file).map_or("", |source| source.text.as_str());
    let nodes = syntax::read(text, file, from, &mut Diagnostics::new());
    let node = canonical::file(nodes, shape::mesh())?;
    let comments = comments::of(text, from);
    if let Some(first) = comments.first() {
        let message = match comments.len() {
            1 => "a comment is not carried over".to_owned(),
            count => format!("{count} comments are not carried over"),
        };
        let place = Span::new(file, first.start, first.end);
        diagnostics.push(Diagnostic::of(codes::NOT_MAPPED, place, message));
    }
    Some(syntax::write(&node, shape::mesh(), to))
}
