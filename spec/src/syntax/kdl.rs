//! KDL text to the tree.

use kdl::{KdlDocument, KdlEntry, KdlNode, KdlValue};

use super::kdl_blocks::{Block, Piece, cut};
use super::kdl_mask::{BadString, MAX_BARE, Masked, mask};
use super::kdl_plain::read_plain;
use super::too_many;
use super::tree::{Form, Kind, Node, Scalar};
use crate::codes;
use crate::diagnostic::{Diagnostic, Diagnostics, quote};
use crate::source::{FileId, Span, Spanned};

/// The top-level nodes. Mistakes are reported and left out.
pub(super) fn read<'t>(text: &'t str, file: FileId, diagnostics: &mut Diagnostics) -> Vec<Node<'t>> {
    let found_before = diagnostics.iter().count();
    let Some(pieces) = cut(text, file, diagnostics) else {
        too_many(file, found_before, diagnostics);
        return Vec::new();
    };
    if pieces.len() > MAX_PIECES {
        let message = format!("the file has more than {MAX_PIECES} nodes");
        diagnostics.push(Diagnostic::error(codes::TOO_LARGE, Span::new(file, 0, 0), message));
        return Vec::new();
    }
    let mut blocks = vec![Frame { parent: None, nodes: Vec::new() }];
    let mut spent = Spent::default();
    for piece in pieces {
        if too_many(file, found_before, diagnostics) {
            return Vec::new();
        }
        if let Some((start, message)) = spent.exceeded() {
            let diagnostic = Diagnostic::error(codes::TOO_LARGE, Span::new(file, start, start), message);
            diagnostics.push(diagnostic.help("split the mesh into several files"));
            return Vec::new();
        }
        match piece {
            Piece::Leaf { start, end } => {
                let node = read_line(text, start, end, file, &mut spent, diagnostics);
                push(&mut blocks, node);
            }
            Piece::Broken { start, end } => {
                let line = Line { text: text.get(start..end).unwrap_or(""), start, file, masked: None };
                push(&mut blocks, line.broken());
            }
            Piece::Open { start, end, block } => {
                let node = read_line(text, start, end, file, &mut spent, diagnostics);
                let kept = block == Block::Kept && node.as_ref().is_some_and(|node| node.form != Form::Broken);
                let parent = if kept {
                    node
                } else {
                    push(&mut blocks, node);
                    None
                };
                blocks.push(Frame { parent, nodes: Vec::new() });
            }
            Piece::Close => {
                let Some(Frame { parent, nodes }) = blocks.pop() else { continue };
                let closed = parent.map(|mut parent| {
                    parent.fields.extend(nodes);
                    parent
                });
                push(&mut blocks, closed);
            }
        }
    }
    blocks.into_iter().next().map_or_else(Vec::new, |frame| frame.nodes)
}

/// Nodes and ends of blocks. A mesh of ten thousand services has a third of it.
const MAX_PIECES: usize = 300_000;
/// Arguments and properties.
const MAX_VALUES: usize = 500_000;
/// Bytes of nodes that are not plain, and a little for each: about a second for the library.
const MAX_RARE_BYTES: usize = 1_000_000;
const COST_OF_A_NODE: usize = 32;
/// Mistakes on one line that are reported.
const MAX_LINE_MISTAKES: usize = 10;

/// A block whose end has not come yet. Without a parent its nodes are dropped, at the top they are the result.
struct Frame<'t> {
    parent: Option<Node<'t>>,
    nodes: Vec<Node<'t>>,
}

/// What has been read so far, where it is bounded.
#[derive(Default)]
struct Spent {
    values: usize,
    rare_bytes: usize,
    /// Where the last node begins.
    start: usize,
}

impl Spent {
    fn exceeded(&self) -> Option<(usize, String)> {
        if self.values > MAX_VALUES {
            Some((self.start, format!("the file has more than {MAX_VALUES} values")))
        } else if self.rare_bytes > MAX_RARE_BYTES {
            let message = "too much of the file is more than plain words, numbers and text without escapes";
            Some((self.start, message.to_owned()))
        } else {
            None
        }
    }
}

fn push<'t>(blocks: &mut [Frame<'t>], node: Option<Node<'t>>) {
    if let Some(frame) = blocks.last_mut() {
        frame.nodes.extend(node);
    }
}

/// Reads the one node of `start..end`; `None` for a removed node.
fn read_line<'t>(
    text: &'t str,
    start: usize,
    end: usize,
    file: FileId,
    spent: &mut Spent,
    diagnostics: &mut Diagnostics,
) -> Option<Node<'t>> {
    let text = text.get(start..end)?;
    if text.trim().is_empty() {
        return None;
    }
    spent.start = start;
    let node = read_plain(text, start, file).or_else(|| {
        spent.rare_bytes += COST_OF_A_NODE + text.len();
        read_any(text, start, file, diagnostics)
    })?;
    spent.values += node.arguments.len() + node.fields.len();
    Some(node)
}

/// What the library reads of a node's text.
fn read_any<'t>(text: &'t str, start: usize, file: FileId, diagnostics: &mut Diagnostics) -> Option<Node<'t>> {
    let masked = (text.len() > MAX_BARE).then(|| mask(text));
    let line = Line { text, start, file, masked };
    if line.masked.as_ref().is_some_and(|masked| masked.bare > MAX_BARE) {
        let message = format!("one node has more than {MAX_BARE} bytes outside its text");
        let diagnostic = Diagnostic::error(codes::TOO_LARGE, line.span(0, text.len().min(1)), message);
        diagnostics.push(diagnostic.help("say it in several nodes"));
        return line.broken();
    }
    match KdlDocument::parse_v2(line.masked.as_ref().map_or(text, |masked| &masked.text)) {
        Ok(document) => {
            let before = diagnostics.iter().count();
            let node = document.nodes().first().map(|node| line.node(node, diagnostics))?;
            let understood = diagnostics.iter().skip(before).all(|found| found.code != codes::TOO_LARGE);
            if understood { Some(node) } else { line.broken() }
        }
        Err(error) => {
            line.mistakes(0, error.diagnostics, diagnostics);
            line.broken()
        }
    }
}

/// The text of one node and where it begins in its file.
struct Line<'t> {
    text: &'t str,
    start: usize,
    file: FileId,
    /// What the library saw instead, of a long text.
    masked: Option<Masked>,
}

impl<'t> Line<'t> {
    /// Reports what the library found wrong in the text from `offset` on.
    fn mistakes(&self, offset: usize, found: Vec<kdl::KdlDiagnostic>, diagnostics: &mut Diagnostics) {
        let mut reported = Vec::new();
        for mistake in found {
            let at = offset + mistake.span.offset();
            if !reported.contains(&at) && reported.len() < MAX_LINE_MISTAKES {
                reported.push(at);
                diagnostics.push(self.mistake(self.span(at, mistake.span.len()), &mistake));
            }
        }
    }

    /// What the library read at `offset`, or what it was not shown.
    fn text_at(&self, offset: usize, read: &str, diagnostics: &mut Diagnostics) -> String {
        match self.masked.as_ref().and_then(|masked| masked.string_at(self.text, offset)) {
            None => return read.to_owned(),
            Some(Ok(text)) => return text,
            Some(Err(BadString::Syntax(found))) => self.mistakes(offset, shifted(found), diagnostics),
            Some(Err(BadString::TooLong)) => {
                let message = format!("text with escapes or several lines has more than {MAX_BARE} bytes");
                let diagnostic = Diagnostic::error(codes::TOO_LARGE, self.span(offset, 1), message);
                diagnostics.push(diagnostic.help("write it as a raw string on one line: `#\"…\"#`"));
            }
        }
        read.to_owned()
    }

    /// The library's offsets may lie past the end or inside a character.
    fn span(&self, offset: usize, length: usize) -> Span {
        let floor = |mut at: usize| {
            at = at.min(self.text.len());
            while !self.text.is_char_boundary(at) {
                at -= 1;
            }
            at
        };
        let (start, end) = (floor(offset), floor(offset.saturating_add(length)));
        let covered = self.text.get(start..end).unwrap_or("").trim_end();
        Span::new(self.file, self.start + start, self.start + start + covered.len())
    }

    /// What stands for a line that was not understood: its first word, if that is plain.
    fn broken(&self) -> Option<Node<'t>> {
        let word = self.text.trim_start().split(|end: char| end.is_whitespace() || end == '"').next()?;
        let start = self.text.find(word)?;
        let key = Spanned::new(word.into(), self.span(start, word.len()));
        Some(Node { key, arguments: Vec::new(), fields: Vec::new(), form: Form::Broken })
    }

    fn node(&self, node: &KdlNode, diagnostics: &mut Diagnostics) -> Node<'t> {
        let name = node.name();
        let name_span = self.span(name.span().offset(), name.span().len());
        if let Some(annotation) = node.ty() {
            diagnostics.push(self.annotated(annotation.value(), name_span));
        }
        let key = self.text_at(name.span().offset(), name.value(), diagnostics);
        let key = Spanned::new(key.into(), name_span);
        let mut result = Node { key, arguments: Vec::new(), fields: Vec::new(), form: Form::Plain };
        for entry in node.entries() {
            let value = self.scalar(entry, diagnostics);
            match entry.name() {
                None => result.arguments.push(value),
                Some(name) => {
                    let span = self.span(name.span().offset(), name.span().len());
                    let key = Spanned::new(self.text_at(name.span().offset(), name.value(), diagnostics).into(), span);
                    result.fields.push(Node { key, arguments: vec![value], fields: Vec::new(), form: Form::Plain });
                }
            }
        }
        result
    }

    fn scalar(&self, entry: &KdlEntry, diagnostics: &mut Diagnostics) -> Scalar<'t> {
        let whole = entry.span();
        let written = entry.format().map_or("", |format| format.value_repr.as_str());
        let end = whole.offset() + whole.len();
        let offset = end.saturating_sub(written.len()).max(whole.offset());
        let span = self.span(offset, written.len());
        if let Some(annotation) = entry.ty() {
            diagnostics.push(self.annotated(annotation.value(), span));
        }
        let (kind, text) = match entry.value() {
            KdlValue::String(text) => (Kind::Text, self.text_at(offset, text, diagnostics)),
            KdlValue::Integer(number) => (Kind::Integer(*number), written.to_owned()),
            KdlValue::Float(_) => (Kind::Decimal, written.to_owned()),
            KdlValue::Bool(value) => (Kind::Bool(*value), value.to_string()),
            KdlValue::Null => (Kind::Null, "null".to_owned()),
        };
        Scalar { kind, text: text.into(), span }
    }

    fn annotated(&self, annotation: &str, span: Span) -> Diagnostic {
        let message = format!("the type annotation `({})` has no meaning here", quote(annotation));
        Diagnostic::error(codes::SYNTAX, span, message).help("leave the annotation out")
    }

    fn mistake(&self, span: Span, mistake: &kdl::KdlDiagnostic) -> Diagnostic {
        let offset = span.start as usize - self.start;
        let wrong = self.text.get(offset..).unwrap_or("");
        let word: String = wrong.chars().take_while(|character| !" \t\r\n;\"=".contains(*character)).collect();
        let error = |message: String| Diagnostic::error(codes::SYNTAX, span, message);
        if matches!(word.as_str(), "true" | "false" | "null") {
            return error(format!("`{word}` is a keyword without its `#`"))
                .help(format!("write `#{word}`, or `\"{word}\"` for the text"));
        }
        if word.starts_with(|first: char| first.is_ascii_digit()) {
            return error(format!("`{}` is neither a number nor text in quotes", quote(&word)))
                .help(format!("text that begins with a digit needs quotes: `\"{}\"`", quote(&word)));
        }
        let message = mistake.message.as_deref().map_or_else(|| "this is not KDL".to_owned(), as_ours);
        let diagnostic = error(message).label(mistake.label.as_deref().map_or_else(String::new, as_ours));
        match &mistake.help {
            Some(help) => diagnostic.help(as_ours(help)),
            None => diagnostic,
        }
    }
}

/// A string is read behind `- `: its places begin two bytes earlier.
fn shifted(found: Vec<kdl::KdlDiagnostic>) -> Vec<kdl::KdlDiagnostic> {
    let back = |mut mistake: kdl::KdlDiagnostic| {
        mistake.span = (mistake.span.offset().saturating_sub(2), mistake.span.len()).into();
        mistake
    };
    found.into_iter().map(back).collect()
}

/// The library's sentence in the form of our messages: lower case, no full stop.
fn as_ours(sentence: &str) -> String {
    let sentence = sentence.trim_end_matches('.');
    let mut characters = sentence.chars();
    characters.next().map_or_else(String::new, |first| first.to_lowercase().chain(characters).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::source::{SourceFile, Sources};

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(4096) })]

        #[test]
        fn what_is_read_as_plain_is_what_the_library_reads(
            words in proptest::collection::vec(
                "[ab]{1,2}=?|-?[01.]{0,3}=?|#(true|false|null|inf)|\"[ab #/={é\u{7f}\\\\]{0,3}\"=?|//|true|inf=|[a_.:*+-]{1,3}", 0..5),
            space in "[ \t]{1,2}|[ =\u{a0}]?",
        ) {
            let text = words.join(&space);
            let file = Sources::new().add(SourceFile::public("mesh.kdl", text.as_str()));
            if let Some(plain) = read_plain(&text, 0, file) {
                let mut diagnostics = Diagnostics::new();
                let any = read_any(&text, 0, file, &mut diagnostics);
                prop_assert!(diagnostics.is_empty(), "{text:?} {diagnostics:?}");
                prop_assert_eq!(format!("{:?}", Some(plain)), format!("{:?}", any), "{:?}", text);
            }
        }
    }
}
