//! Where a text has comments: outside of strings, in either syntax.

use std::ops::Range;

use granit_parser::{Event, Parser};

use super::Syntax;
use super::kdl_tokens::{skip_comment, skip_line, skip_raw_string, skip_string};
use super::yaml_plain::plain_comments;

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
    let Some(places) = plain_comments(text) else { return comments_of_library(text) };
    places.into_iter().filter_map(|place| comment(text, place)).collect()
}

fn comment(text: &str, place: Range<usize>) -> Option<Comment<'_>> {
    let Range { start, end } = place;
    Some(Comment { text: text.get(start + 1..end)?, text_start: start + 1, start, end })
}

/// What the YAML library finds.
pub(super) fn comments_of_library(text: &str) -> Vec<Comment<'_>> {
    let options = granit_parser::options! {
        emit_comments: true,
        max_buffered_comment_events: usize::MAX,
        emit_unresolved_aliases: true,
    };
    let mut comments = Vec::new();
    for event in Parser::new_from_str_with_options(text, options) {
        let Ok((event, place)) = event else { break };
        if let (Event::Comment(..), Some(range)) = (event, place.byte_range()) {
            comments.extend(comment(text, range));
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
                let length = skip_line(rest);
                let said = rest.get(2..length).unwrap_or("");
                comments.push(Comment { text: said, text_start: at + 2, start: at, end: at + length });
                Some(length)
            }
            b'/' if rest.starts_with("/*") => {
                let length = skip_comment(rest).ok();
                if let Some(length) = length {
                    // Skipped when a comment looks for its line, but never an order: those end with their line.
                    comments.push(Comment { text: "", text_start: at + length, start: at, end: at + length });
                }
                length
            }
            b'"' => skip_string(rest).ok(),
            b'#' => match skip_raw_string(rest) {
                Some(length) => length.ok(),
                None => Some(rest.bytes().take_while(|byte| *byte == b'#').count()),
            },
            _ => Some(1),
        };
        // What never ends is a mistake of syntax: nothing after it counts.
        let Some(length) = length else { break };
        at += length;
    }
    comments
}
