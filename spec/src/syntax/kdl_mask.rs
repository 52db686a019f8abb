//! Hides what long nodes hold in strings and comments from the KDL library, so that it makes few mistakes of it.
//!
//! The library recurses once for each mistake on a line. What may be one is therefore bounded, and text that
//! cannot be one is read here.

use kdl::{KdlDiagnostic, KdlDocument};

use super::kdl_tokens::{is_space, skip_comment, skip_line, skip_raw_string, skip_string};

/// A node's text with the same places: strings are `"xxx"`, comments are spaces.
pub(super) struct Masked {
    pub(super) text: String,
    /// Where strings stand, in order.
    strings: Vec<(usize, usize)>,
    /// Bytes that are neither in strings nor in comments nor spaces, and one for each string.
    pub(super) bare: usize,
}

/// Why a string of a long node cannot be read.
pub(super) enum BadString {
    Syntax(Vec<KdlDiagnostic>),
    TooLong,
}

/// What the library is given in one go.
pub(super) const MAX_BARE: usize = 600;

/// Hides strings and comments. `node` holds only strings and comments that end.
pub(super) fn mask(node: &str) -> Masked {
    let mut masked = Masked { text: String::with_capacity(node.len()), strings: Vec::new(), bare: 0 };
    let mut rest = node;
    while let Some(next) = rest.chars().next() {
        let start = masked.text.len();
        let comment = if rest.starts_with("//") { Some(skip_line(rest)) } else { block_comment(rest) };
        let string = if next == '"' { skip_string(rest).ok() } else { skip_raw_string(rest).and_then(Result::ok) };
        let length = if let Some(length) = comment {
            masked.text.extend(std::iter::repeat_n(' ', length));
            length
        } else if let Some(length) = string {
            masked.text.push('"');
            masked.text.extend(std::iter::repeat_n('x', length.saturating_sub(2)));
            masked.text.push('"');
            masked.strings.push((start, start + length));
            masked.bare += 1;
            length
        } else {
            let length = rest.bytes().take_while(|byte| *byte == b'#').count().max(next.len_utf8());
            masked.text.push_str(rest.get(..length).unwrap_or(""));
            masked.bare += if is_space(next) { 0 } else { length };
            length
        };
        rest = rest.get(length..).unwrap_or("");
    }
    masked
}

impl Masked {
    /// What the string at `offset` of `node` says; `None` if there is none.
    pub(super) fn string_at(&self, node: &str, offset: usize) -> Option<Result<String, BadString>> {
        let index = self.strings.binary_search_by_key(&offset, |(start, _)| *start).ok()?;
        let (start, end) = self.strings.get(index)?;
        node.get(*start..*end).map(read_string)
    }
}

fn block_comment(rest: &str) -> Option<usize> {
    if rest.starts_with("/*") { skip_comment(rest).ok() } else { None }
}

fn read_string(written: &str) -> Result<String, BadString> {
    let inner = written.trim_matches('#');
    let raw = inner.len() < written.len();
    let literal = !inner.starts_with("\"\"\"") && (raw || !inner.contains('\\')) && inner.chars().all(may_stand);
    if let Some(content) = inner.get(1..inner.len().saturating_sub(1)).filter(|_| literal) {
        return Ok(content.to_owned());
    }
    if written.len() > MAX_BARE {
        return Err(BadString::TooLong);
    }
    let document =
        KdlDocument::parse_v2(&format!("- {written}")).map_err(|error| BadString::Syntax(error.diagnostics))?;
    let value = document.get_arg("-").and_then(|value| value.as_string());
    value.map(str::to_owned).ok_or(BadString::TooLong)
}

/// Not one of the code points that KDL forbids to stand literally.
fn may_stand(character: char) -> bool {
    !character.is_control()
        && !matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}
