//! Users and texts, out of the files that a mesh names.

mod passwords;

use spec::{Sources, Span, Spanned};

pub(super) use self::passwords::resolve;

/// The content of a public file that the mesh names; `None` if it could not be read, which was reported.
pub(super) fn text(named: Spanned<&String>, sources: &Sources) -> Option<String> {
    let named_by = sources.file(named.span.file).map_or("", |file| file.name.as_str());
    let (_, source) = sources.find(&spec::load::resolved(named_by, named.value))?;
    Some(source.text.clone())
}

/// The first byte of a line, counted from 1: enough to name the place, nothing of the secret.
pub(super) fn line_span(file: spec::FileId, text: &str, line: usize) -> Span {
    let start = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    Span::new(file, start, start)
}
