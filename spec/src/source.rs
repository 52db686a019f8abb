//! Source texts and places in them.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// A file that was read: an index into [`Sources`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(u32);

/// A range of bytes of one file. `start <= end`, both at character boundaries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    pub file: FileId,
    pub start: u32,
    pub end: u32,
}

/// A value and the place where the user wrote it.
///
/// Two spanned values are equal when the values are: the place is not part of the meaning.
#[derive(Clone, Copy)]
pub struct Spanned<T> {
    pub value: T,
    pub span: Span,
}

/// Every text a mesh was made from, in the order in which they were read.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    files: Vec<SourceFile>,
    /// Files that are no text: wasm modules.
    bytes: BTreeMap<String, Arc<[u8]>>,
}

/// One text, under the name the user knows it by.
#[derive(Clone)]
pub struct SourceFile {
    /// The path as the user gave it; never made absolute, so that output does not depend on the machine.
    pub name: String,
    pub text: String,
    /// Whether the text holds credentials: then no renderer shows its lines.
    pub sensitivity: Sensitivity,
}

/// Whether a text may be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sensitivity {
    Public,
    Secret,
}

/// A line and column, both counted from 1; the column counts characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    pub line: usize,
    pub column: usize,
}

impl Sources {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn add(&mut self, file: SourceFile) -> FileId {
        let id = FileId(u32::try_from(self.files.len()).unwrap_or(u32::MAX));
        self.files.push(file);
        id
    }

    /// The file of an id that [`Sources::add`] of this value returned.
    pub fn file(&self, id: FileId) -> Option<&SourceFile> {
        self.files.get(id.0 as usize)
    }

    /// The first file of this name.
    pub fn find(&self, name: &str) -> Option<(FileId, &SourceFile)> {
        let index = self.files.iter().position(|file| file.name == name)?;
        let file = self.files.get(index)?;
        Some((FileId(u32::try_from(index).ok()?), file))
    }

    /// Keeps a file that is no text.
    pub fn add_bytes(&mut self, name: impl Into<String>, bytes: Vec<u8>) {
        self.bytes.insert(name.into(), bytes.into());
    }

    /// The file of this name that is no text.
    pub fn bytes(&self, name: &str) -> Option<&Arc<[u8]>> {
        self.bytes.get(name)
    }

    /// Every text, in the order in which they were read.
    pub fn files(&self) -> impl Iterator<Item = &SourceFile> {
        self.files.iter()
    }

    /// Every file that is no text, by name.
    pub fn all_bytes(&self) -> impl Iterator<Item = (&str, &Arc<[u8]>)> {
        self.bytes.iter().map(|(name, bytes)| (name.as_str(), bytes))
    }

    /// Where a span begins.
    pub fn position(&self, span: Span) -> Position {
        let text = self.file(span.file).map_or("", |file| file.text.as_str());
        let before = text.get(..span.start as usize).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Position {
            line: before.matches('\n').count() + 1,
            column: before.get(line_start..).unwrap_or("").chars().count() + 1,
        }
    }
}

impl SourceFile {
    pub fn public(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { name: name.into(), text: text.into(), sensitivity: Sensitivity::Public }
    }

    pub fn secret(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { name: name.into(), text: text.into(), sensitivity: Sensitivity::Secret }
    }
}

/// Secret text stays out of debug prints too.
impl fmt::Debug for SourceFile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SourceFile")
            .field("name", &self.name)
            .field("bytes", &self.text.len())
            .field("sensitivity", &self.sensitivity)
            .finish()
    }
}

impl Span {
    pub fn new(file: FileId, start: usize, end: usize) -> Self {
        let clamp = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
        Self { file, start: clamp(start), end: clamp(end.max(start)) }
    }
}

impl<T> Spanned<T> {
    pub fn new(value: T, span: Span) -> Self {
        Self { value, span }
    }

    pub fn map<U>(self, convert: impl FnOnce(T) -> U) -> Spanned<U> {
        Spanned { value: convert(self.value), span: self.span }
    }

    pub fn as_ref(&self) -> Spanned<&T> {
        Spanned { value: &self.value, span: self.span }
    }
}

impl<T: PartialEq> PartialEq for Spanned<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl<T: Eq> Eq for Spanned<T> {}

impl<T: fmt::Debug> fmt::Debug for Spanned<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(formatter)
    }
}
