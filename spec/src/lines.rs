//! Where the lines of a text begin, found once for many questions.

use std::collections::BTreeMap;

use crate::source::{FileId, Position};

/// The lines of each file that was asked about.
#[derive(Clone, Debug, Default)]
pub struct Lines(BTreeMap<FileId, LineStarts>);

/// Offsets of the lines' first bytes. Never empty: the first line begins at 0.
#[derive(Clone, Debug)]
pub struct LineStarts(Vec<usize>);

impl Lines {
    /// `text` is that of the file.
    pub fn of(&mut self, file: FileId, text: &str) -> &LineStarts {
        self.0.entry(file).or_insert_with(|| LineStarts::of(text))
    }
}

impl LineStarts {
    pub fn of(text: &str) -> Self {
        let after = text.match_indices('\n').map(|(newline, _)| newline + 1);
        Self(std::iter::once(0).chain(after).collect())
    }

    /// Counted from 0.
    pub fn line(&self, offset: usize) -> usize {
        self.0.partition_point(|start| *start <= offset).saturating_sub(1)
    }

    /// Of the line with this number, counted from 0.
    pub fn start(&self, line: usize) -> Option<usize> {
        self.0.get(line).copied()
    }

    /// `text` is the one that the lines were found in.
    pub fn position(&self, text: &str, offset: usize) -> Position {
        let line = self.line(offset);
        let before = text.get(self.start(line).unwrap_or(0)..offset).unwrap_or("");
        Position { line: line + 1, column: before.chars().count() + 1 }
    }
}
