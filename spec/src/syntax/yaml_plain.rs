//! Reads YAML of indented blocks, one-line lists and mappings, plain and quoted words: nearly every mesh, at a fraction
//! of the time.
//!
//! Whatever is in any way unusual, mistakes first of all, leaves the whole text to the YAML library. What is read here
//! is read as the library reads it: property tests compare the two, and so does every file of the fuzzers' corpora.

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::ops::Range;

use super::tree::{Form, Node, Scalar};
use super::yaml::{LONGEST_KEY, kind};
use crate::source::{FileId, SourceFile, Sources, Span};
use crate::yaml::{self, MAX_VALUES, plain, size_of_text};

/// Levels of lists and mappings.
const MAX_DEPTH: usize = 32;
/// Bytes of a key: the library looks no further than a thousand for the colon.
const MAX_KEY: usize = 500;
/// Keys of one mapping that are compared one by one.
const FEW: usize = 12;

/// The top-level nodes; `None` when the library must read the text.
pub(super) fn read_plain(text: &str, file: FileId) -> Option<Vec<Node<'_>>> {
    Some(read(text, file)?.nodes)
}

/// The places of the comments, signs included; `None` when the library must find them.
pub(super) fn plain_comments(text: &str) -> Option<Vec<Range<usize>>> {
    // Nobody looks at the places of the nodes.
    let file = Sources::new().add(SourceFile::public("", ""));
    Some(read(text, file)?.comments)
}

struct Plain<'t> {
    nodes: Vec<Node<'t>>,
    comments: Vec<Range<usize>>,
}

fn read(text: &str, file: FileId) -> Option<Plain<'_>> {
    if !is_printable(text) {
        return None;
    }
    let mut reader = Reader {
        text,
        file,
        at: 0,
        line: 0,
        indent: 0,
        values: 0,
        depth: 0,
        nodes: Vec::new(),
        keys: Vec::new(),
        comments: Vec::new(),
    };
    reader.find_line();
    if reader.indent == 0 && reader.rest().starts_with("---") {
        reader.at += 3;
        reader.end_line()?;
    }
    if reader.is_done() || reader.indent != 0 {
        return None;
    }
    let first = reader.word(Context::Block)?;
    let nodes = reader.mapping(first, 0)?;
    (reader.is_done() && reader.values <= MAX_VALUES).then_some(Plain { nodes, comments: reader.comments })
}

/// Whether the library takes every character, as it is, for one of a word or a line's end.
fn is_printable(text: &str) -> bool {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\n')) {
        return true;
    }
    text.chars().all(|character| match character {
        '\n' | ' '..='~' => true,
        '\u{2028}' | '\u{2029}' | '\u{feff}' => false,
        _ => matches!(character, '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..),
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Context {
    Block,
    /// Inside of `[…]` or `{…}`.
    Flow,
}

/// A scalar, or a key.
#[derive(Clone, Copy)]
struct Word<'t> {
    /// Without its quotes.
    text: &'t str,
    quoted: bool,
    span: Span,
}

/// What is read of the text so far. Between two entries it stands at the first byte of a line's content.
struct Reader<'t> {
    text: &'t str,
    file: FileId,
    at: usize,
    /// Where the line begins.
    line: usize,
    /// Spaces before the line's content.
    indent: usize,
    /// Counted as the library's are.
    values: usize,
    depth: usize,
    /// Nodes of every mapping that is open, so that each ends up in a vector of exactly its length.
    nodes: Vec<Node<'t>>,
    /// Keys of every mapping that is open.
    keys: Vec<&'t str>,
    comments: Vec<Range<usize>>,
}

impl<'t> Reader<'t> {
    /// The rest of a mapping whose keys stand in column `indent`; its first key was read.
    fn mapping(&mut self, first: Word<'t>, indent: usize) -> Option<Vec<Node<'t>>> {
        self.open()?;
        let (nodes, keys) = (self.nodes.len(), self.keys.len());
        let mut key = first;
        loop {
            self.colon(key)?;
            self.value_of(key, indent)?;
            if self.is_done() || self.indent < indent {
                break;
            }
            if self.indent > indent {
                return None;
            }
            key = self.word(Context::Block)?;
        }
        self.close(nodes, keys)
    }

    /// What stands after `key:`, up to the next line that is not part of it.
    fn value_of(&mut self, key: Word<'t>, indent: usize) -> Option<()> {
        self.skip_spaces();
        match self.peek() {
            None | Some(b'\n' | b'#') => {
                self.end_line()?;
                let dash = self.is_item();
                if dash && !self.is_done() && self.indent >= indent {
                    return self.list(key);
                }
                if self.is_done() || self.indent <= indent {
                    self.values += 1;
                    self.nodes.push(Node::new(key.text, key.span));
                    return Some(());
                }
                let (inner, first) = (self.indent, self.word(Context::Block)?);
                let fields = self.mapping(first, inner)?;
                self.nodes.push(Node { fields, ..Node::new(key.text, key.span) });
                Some(())
            }
            _ => {
                self.flow_value_of(key, Context::Block)?;
                self.end_line()
            }
        }
    }

    /// A list whose dashes stand in the column of the first.
    fn list(&mut self, key: Word<'t>) -> Option<()> {
        self.open()?;
        if key.text.len() > LONGEST_KEY {
            return None;
        }
        let indent = self.indent;
        loop {
            self.at += 1;
            self.skip_spaces();
            if self.peek() == Some(b'{') {
                self.flow_item(key)?;
                self.end_line()?;
            } else if self.is_item() {
                return None;
            } else {
                let column = self.at - self.line;
                let word = self.word(Context::Block)?;
                if self.peek() == Some(b':') {
                    let fields = self.mapping(word, column)?;
                    self.nodes.push(Node { fields, form: Form::ListItem, ..Node::new(key.text, word.span) });
                } else {
                    self.push_item(key, word)?;
                    self.end_line()?;
                }
            }
            if self.is_done() || self.indent < indent || self.indent == indent && !self.is_item() {
                break;
            }
            if self.indent > indent {
                return None;
            }
        }
        self.depth -= 1;
        Some(())
    }

    /// A value that ends on its line: a word, a list, a mapping.
    fn flow_value_of(&mut self, key: Word<'t>, context: Context) -> Option<()> {
        match self.peek()? {
            b'{' => {
                let (fields, _) = self.flow_mapping()?;
                self.nodes.push(Node { fields, ..Node::new(key.text, key.span) });
            }
            b'[' => self.flow_list(key)?,
            _ => {
                let word = self.word(context)?;
                let arguments = self.scalar(word).into_iter().collect();
                self.nodes.push(Node { arguments, ..Node::new(key.text, key.span) });
            }
        }
        Some(())
    }

    /// `{key: value, …}`, and the place of its first key.
    fn flow_mapping(&mut self) -> Option<(Vec<Node<'t>>, Option<Span>)> {
        self.open()?;
        let (nodes, keys) = (self.nodes.len(), self.keys.len());
        self.at += 1;
        self.skip_spaces();
        let mut place = None;
        if self.peek()? == b'}' {
            self.at += 1;
        } else {
            loop {
                let key = self.word(Context::Flow)?;
                place = place.or(Some(key.span));
                self.colon(key)?;
                self.skip_spaces();
                self.flow_value_of(key, Context::Flow)?;
                if self.flow_end(b'}')? {
                    break;
                }
            }
        }
        Some((self.close(nodes, keys)?, place))
    }

    /// `[value, …]`
    fn flow_list(&mut self, key: Word<'t>) -> Option<()> {
        self.open()?;
        self.at += 1;
        self.skip_spaces();
        if self.peek()? == b']' {
            self.at += 1;
            self.nodes.push(Node { form: Form::EmptyList, ..Node::new(key.text, key.span) });
        } else if key.text.len() > LONGEST_KEY {
            return None;
        } else {
            loop {
                self.flow_item(key)?;
                if self.flow_end(b']')? {
                    break;
                }
            }
        }
        self.depth -= 1;
        Some(())
    }

    fn flow_item(&mut self, key: Word<'t>) -> Option<()> {
        if self.peek()? != b'{' {
            let word = self.word(Context::Flow)?;
            return self.push_item(key, word);
        }
        let (fields, place) = self.flow_mapping()?;
        self.nodes.push(Node { fields, form: Form::ListItem, ..Node::new(key.text, place?) });
        Some(())
    }

    /// After a value in `[…]` or `{…}`: whether that was the last.
    fn flow_end(&mut self, bracket: u8) -> Option<bool> {
        self.skip_spaces();
        let next = self.peek()?;
        self.at += 1;
        if next == b',' {
            self.skip_spaces();
            return Some(false);
        }
        (next == bracket).then_some(true)
    }

    fn push_item(&mut self, key: Word<'t>, word: Word<'t>) -> Option<()> {
        let arguments = vec![self.scalar(word)?];
        self.nodes.push(Node { arguments, form: Form::ListItem, ..Node::new(key.text, word.span) });
        Some(())
    }

    /// `None` for null.
    fn scalar(&mut self, word: Word<'t>) -> Option<Scalar<'t>> {
        self.values += size_of_text(word.text);
        let plain = if word.quoted { yaml::Plain::Text } else { plain(word.text)? };
        Some(Scalar { kind: kind(plain), text: Cow::Borrowed(word.text), span: word.span })
    }

    /// The colon after a key, which is counted and remembered.
    fn colon(&mut self, key: Word<'t>) -> Option<()> {
        let ended = matches!(self.text.as_bytes().get(self.at + 1), None | Some(b' ' | b'\n'));
        if self.peek()? != b':' || !ended || key.text.len() > MAX_KEY || !key.quoted && plain(key.text).is_none() {
            return None;
        }
        self.at += 1;
        self.values += size_of_text(key.text);
        self.keys.push(key.text);
        Some(())
    }

    fn word(&mut self, context: Context) -> Option<Word<'t>> {
        let start = self.at;
        let (text, quoted) = match self.peek()? {
            quote @ (b'"' | b'\'') => (self.quoted(quote)?, true),
            _ => (self.bare(context)?, false),
        };
        Some(Word { text, quoted, span: Span::new(self.file, start, self.at) })
    }

    /// Text in quotes, without escapes.
    fn quoted(&mut self, quote: u8) -> Option<&'t str> {
        let start = self.at + 1;
        let inside = self.text.as_bytes().get(start..)?;
        let length = inside.iter().position(|byte| *byte == quote || matches!(byte, b'\\' | b'\n'))?;
        let doubled = quote == b'\'' && inside.get(length + 1) == Some(&quote);
        if inside.get(length) != Some(&quote) || doubled {
            return None;
        }
        self.at = start + length + 1;
        self.text.get(start..start + length)
    }

    /// Text without quotes: up to a colon or a comment, or to the end of the line.
    fn bare(&mut self, context: Context) -> Option<&'t str> {
        let bytes = self.text.as_bytes().get(self.at..)?;
        let (first, second) = (*bytes.first()?, bytes.get(1));
        let begins = match first {
            b'-' => second.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'.'),
            b'.' => second != Some(&b'.'),
            b'_' | b'/' | b'$' | b'+' | b'(' | b'^' => true,
            _ => first.is_ascii_alphanumeric() || !first.is_ascii(),
        };
        if !begins {
            return None;
        }
        let (mut length, mut ascii, mut end) = (0, true, 0);
        while let Some(byte) = bytes.get(length) {
            let next = bytes.get(length + 1);
            match byte {
                b'\n' => break,
                b':' if matches!(next, None | Some(b' ' | b'\n')) => break,
                b' ' if next == Some(&b'#') => break,
                b',' | b'[' | b']' | b'{' | b'}' if context == Context::Flow => break,
                b':' if context == Context::Flow && matches!(next, Some(b',' | b'[' | b']' | b'{' | b'}')) => {
                    return None;
                }
                b' ' => {}
                _ => {
                    ascii &= byte.is_ascii();
                    end = length + 1;
                }
            }
            length += 1;
        }
        // White space before a colon is unusual; of what is not ASCII the library keeps all, and its place has less.
        let text = self.text.get(self.at..self.at + end)?;
        let unusual = end < length && bytes.get(length) == Some(&b':');
        if unusual || !ascii && text.chars().any(|character| character != ' ' && character.is_whitespace()) {
            return None;
        }
        self.at += end;
        Some(text)
    }

    /// Counts a list or mapping that begins.
    fn open(&mut self) -> Option<()> {
        self.values += 1;
        self.depth += 1;
        (self.depth <= MAX_DEPTH).then_some(())
    }

    /// The nodes of a mapping that ends. `None` if a key was said twice.
    fn close(&mut self, nodes: usize, keys: usize) -> Option<Vec<Node<'t>>> {
        self.depth -= 1;
        let said = self.keys.get_mut(keys..)?;
        let unique = if said.len() <= FEW {
            said.iter().enumerate().all(|(index, key)| said.iter().skip(index + 1).all(|other| other != key))
        } else {
            said.sort_unstable();
            said.windows(2).all(|two| matches!(two, [one, other] if one != other))
        };
        self.keys.truncate(keys);
        unique.then(|| self.nodes.split_off(nodes))
    }

    /// Goes on to the next line with content. `None` if the line has more than a comment.
    fn end_line(&mut self) -> Option<()> {
        let spaced = self.skip_spaces();
        match self.peek() {
            None => {}
            Some(b'\n') => self.at += 1,
            Some(b'#') if spaced => self.skip_comment(),
            Some(_) => return None,
        }
        self.find_line();
        Some(())
    }

    /// From the beginning of a line to the first that is neither empty nor a comment.
    fn find_line(&mut self) {
        loop {
            self.line = self.at;
            self.skip_spaces();
            self.indent = self.at - self.line;
            match self.peek() {
                Some(b'\n') => self.at += 1,
                Some(b'#') => self.skip_comment(),
                _ => return,
            }
        }
    }

    /// From a `#` to the beginning of the next line.
    fn skip_comment(&mut self) {
        let rest = self.rest();
        let length = rest.bytes().position(|byte| byte == b'\n').unwrap_or(rest.len());
        self.comments.push(self.at..self.at + length);
        self.at = self.text.len().min(self.at + length + 1);
    }

    fn skip_spaces(&mut self) -> bool {
        let before = self.at;
        while self.peek() == Some(b' ') {
            self.at += 1;
        }
        self.at > before || self.at == self.line
    }

    /// Whether a dash and a space come next.
    fn is_item(&self) -> bool {
        let bytes = self.text.as_bytes();
        self.peek() == Some(b'-') && matches!(bytes.get(self.at + 1), None | Some(b' ' | b'\n'))
    }

    fn is_done(&self) -> bool {
        self.at == self.text.len()
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or("")
    }
}
