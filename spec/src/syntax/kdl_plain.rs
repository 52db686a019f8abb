//! Reads a KDL node of plain words, numbers and quoted text: nearly every line of a mesh, at a fraction of the time.
//!
//! What is in any way unusual, mistakes first of all, is left to the KDL library. What is read here is read as the
//! library reads it: a property test compares the two.

use std::borrow::Cow;

use super::tree::{Form, Kind, Node, Scalar};
use crate::source::{FileId, Span, Spanned};

/// Arguments and properties of one node.
const MAX_VALUES: usize = 10_000;

/// The node that `text`, at `start` of its file, holds and nothing else; `None` when the library must read it.
pub(super) fn read_plain(text: &str, start: usize, file: FileId) -> Option<Node<'_>> {
    let mut cursor = Cursor { text, at: 0, start, file };
    cursor.skip_space();
    let key = cursor.key()?;
    let mut node = Node { key, arguments: Vec::new(), fields: Vec::new(), form: Form::Plain };
    loop {
        let spaced = cursor.skip_space();
        match cursor.peek() {
            None => break,
            // A comment holds no more of the node: the cutter ends one at the end of the line.
            Some(b'/') if cursor.rest().starts_with("//") => break,
            Some(_) if !spaced || node.arguments.len() + node.fields.len() == MAX_VALUES => return None,
            Some(_) => cursor.entry(&mut node)?,
        }
    }
    // Most nodes have one value: room for four would be most of the memory of a large file.
    node.arguments.shrink_to_fit();
    node.fields.shrink_to_fit();
    Some(node)
}

struct Cursor<'t> {
    text: &'t str,
    at: usize,
    start: usize,
    file: FileId,
}

impl<'t> Cursor<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn span(&self, from: usize) -> Span {
        Span::new(self.file, self.start + from, self.start + self.at)
    }

    fn skip_space(&mut self) -> bool {
        let before = self.at;
        while matches!(self.peek(), Some(b' ' | b'\t')) {
            self.at += 1;
        }
        self.at > before
    }

    fn entry(&mut self, node: &mut Node<'t>) -> Option<()> {
        let from = self.at;
        let value = self.value()?;
        if self.peek() != Some(b'=') {
            node.arguments.push(value);
            return Some(());
        }
        if value.kind != Kind::Text {
            return None;
        }
        let key = Spanned::new(value.text, self.span(from));
        self.at += 1;
        let value = self.value()?;
        if self.peek() == Some(b'=') {
            return None;
        }
        node.fields.push(Node { key, arguments: vec![value], fields: Vec::new(), form: Form::Plain });
        Some(())
    }

    fn key(&mut self) -> Option<Spanned<Cow<'t, str>>> {
        let from = self.at;
        let scalar = self.value()?;
        let ended = self.peek() != Some(b'=') && scalar.kind == Kind::Text;
        ended.then(|| Spanned::new(scalar.text, self.span(from)))
    }

    fn value(&mut self) -> Option<Scalar<'t>> {
        let from = self.at;
        let (kind, text) = match self.peek()? {
            b'"' => (Kind::Text, self.string()?),
            b'#' => self.keyword()?,
            b'0'..=b'9' | b'-' => self.number()?,
            first if first.is_ascii_alphabetic() || first == b'_' => (Kind::Text, self.word()?),
            _ => return None,
        };
        Some(Scalar { kind, text: Cow::Borrowed(text), span: self.span(from) })
    }

    fn string(&mut self) -> Option<&'t str> {
        let bytes = self.rest().as_bytes();
        let end = 1 + bytes.get(1..)?.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=8 | 10..=31 | 127..))?;
        // Beyond ASCII there are characters that must be escaped: the library knows them.
        if bytes.get(end) != Some(&b'"') || bytes.starts_with(b"\"\"\"") {
            return None;
        }
        let text = self.rest().get(1..end)?;
        self.at += end + 1;
        Some(text)
    }

    fn word(&mut self) -> Option<&'t str> {
        let word = self.take(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b':'));
        // Words that would be keywords with `#`.
        let reserved = matches!(word, "true" | "false" | "null" | "inf" | "nan");
        (!reserved).then_some(word)
    }

    fn keyword(&mut self) -> Option<(Kind, &'t str)> {
        self.at += 1;
        match self.take(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
            "true" => Some((Kind::Bool(true), "true")),
            "false" => Some((Kind::Bool(false), "false")),
            "null" => Some((Kind::Null, "null")),
            _ => None,
        }
    }

    fn number(&mut self) -> Option<(Kind, &'t str)> {
        let text = self.take(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'.'));
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        // Longer ones may exceed what the library can hold.
        let short = text.len() <= 18;
        let kind = match unsigned.split_once('.') {
            None if digits(unsigned) && short => Kind::Integer(text.parse().ok()?),
            Some((whole, fraction)) if digits(whole) && digits(fraction) && short => Kind::Decimal,
            _ => return None,
        };
        Some((kind, text))
    }

    fn take(&mut self, belongs: impl Fn(u8) -> bool) -> &'t str {
        let from = self.at;
        let length = self.rest().bytes().take_while(|byte| belongs(*byte)).count();
        self.at += length;
        self.text.get(from..self.at).unwrap_or("")
    }
}
