//! Where findings are: files under the names their users gave them, lines and columns from 1.

use spec::lines::Lines;
use spec::{Diagnostic, Position, Sources, Span};

/// A range of a file. Columns count characters; the end is the first place after it.
pub(super) struct Place {
    pub(super) file: String,
    pub(super) start: Position,
    pub(super) end: Position,
}

/// Finds places, counting the lines of each file once.
pub(super) struct Places<'a> {
    sources: &'a Sources,
    lines: Lines,
}

impl<'a> Places<'a> {
    pub(super) fn new(sources: &'a Sources) -> Self {
        Self { sources, lines: Lines::default() }
    }

    pub(super) fn of(&mut self, span: Span) -> Place {
        let (name, text) =
            self.sources.file(span.file).map_or(("", ""), |file| (file.name.as_str(), file.text.as_str()));
        let lines = self.lines.of(span.file, text);
        let (start, end) = (span.start as usize, span.end as usize);
        Place { file: slashed(name), start: lines.position(text, start), end: lines.position(text, end) }
    }

    /// The place of the mistake. Every finding has one; without it, the beginning of nothing.
    pub(super) fn of_finding(&mut self, finding: &Diagnostic) -> Place {
        let nowhere = Position { line: 1, column: 1 };
        finding.span().map_or_else(|| Place { file: String::new(), start: nowhere, end: nowhere }, |span| self.of(span))
    }
}

/// A path with `/` wherever it came from.
pub(super) fn slashed(name: &str) -> String {
    if std::path::MAIN_SEPARATOR == '/' { name.to_owned() } else { name.replace(std::path::MAIN_SEPARATOR, "/") }
}
