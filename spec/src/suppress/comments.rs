//! Where a text has comments: outside of strings, in either syntax.

use granit_parser::{Event, Parser};

use crate::syntax::Syntax;

/// A comment, and what it says without its signs.
pub(crate) struct Comment<'t> {
    pub(crate) text: &'t str,
    /// Where `text` begins in the file.
    pub(crate) text_start: usize,
    /// The whole of it, signs included.
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// In the order of the text. After a mistake of syntax, which is reported elsewhere, there may be more.
pub(crate) fn of(text: &str, syntax: Syntax) -> Vec<Comment<'_>> {
    match syntax {
        Syntax::Kdl => of_kdl(text),
        Syntax::Yaml => of_yaml(text),
    }
}

fn of_yaml(text: &str) -> Vec<Comment<'_>> {
    let options = granit_parser::options! {
        emit_comments: true,
        max_buffered_comment_events: usize::MAX,
        emit_unresolved_aliases: true,
    };
    let mut comments = Vec::new();
    for event in Parser::new_from_str_with_options(text, options) {
        let Ok((event, place)) = event else { break };
        if let (Event::Comment(..), Some(range)) = (event, place.byte_range())
            && let Some(said) = text.get(range.start + 1..range.end)
        {
            comments.push(Comment { text: said, text_start: range.start + 1, start: range.start, end: range.end });
        }
    }
    comments
}

fn of_kdl(text: &str) -> Vec<Comment<'_>> {
    let bytes = text.as_bytes();
    let mut comments = Vec::new();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let rest = text.get(at..).unwrap_or("");
        let length = match byte {
            b'/' if rest.starts_with("//") => {
                let length = rest.find(is_newline).unwrap_or(rest.len());
                let said = rest.get(2..length).unwrap_or("");
                comments.push(Comment { text: said, text_start: at + 2, start: at, end: at + length });
                Some(length)
            }
            b'/' if rest.starts_with("/*") => {
                let length = block_comment(rest);
                if let Some(length) = length {
                    // Skipped when a comment looks for its line, but never an order: those end with their line.
                    comments.push(Comment { text: "", text_start: at + length, start: at, end: at + length });
                }
                length
            }
            b'"' | b'#' => string(rest),
            _ => Some(1),
        };
        // What never ends is a mistake of syntax: nothing after it counts.
        let Some(length) = length else { break };
        at += length;
    }
    comments
}

/// The length of a string, quoted or raw; of `#` signs that begin none. `None` if it never ends.
fn string(rest: &str) -> Option<usize> {
    let hashes = rest.bytes().take_while(|byte| *byte == b'#').count();
    let (fence, body) = rest.split_at_checked(hashes)?;
    if !body.starts_with('"') {
        return Some(hashes);
    }
    let quotes = if body.starts_with("\"\"\"") { "\"\"\"" } else { "\"" };
    let content = body.get(quotes.len()..)?;
    let end = if hashes == 0 { unescaped(content, quotes) } else { content.find(&format!("{quotes}{fence}")) };
    Some(hashes + quotes.len() + end? + quotes.len() + hashes)
}

/// Where `quotes` first stand without a `\` before them.
fn unescaped(content: &str, quotes: &str) -> Option<usize> {
    let bytes = content.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 2,
            b'"' if bytes.get(at..).is_some_and(|rest| rest.starts_with(quotes.as_bytes())) => return Some(at),
            _ => at += 1,
        }
    }
    None
}

/// The length of a comment and of those inside it.
fn block_comment(rest: &str) -> Option<usize> {
    let bytes = rest.as_bytes();
    let (mut at, mut depth) = (0, 0_usize);
    while let Some(pair) = bytes.get(at..at + 2) {
        match pair {
            b"/*" => (depth, at) = (depth + 1, at + 2),
            b"*/" if depth == 1 => return Some(at + 2),
            b"*/" => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
    }
    None
}

/// As the KDL specification lists them.
fn is_newline(character: char) -> bool {
    matches!(character, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}
