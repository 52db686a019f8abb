//! How long KDL's strings and comments are: whatever they hold is not structure.

/// A string without its end.
pub(super) struct Unclosed {
    pub(super) message: &'static str,
    pub(super) help: &'static str,
    pub(super) length: usize,
}

/// A block comment without its end, or with too many inside it.
pub(super) struct BadComment {
    pub(super) message: &'static str,
    pub(super) too_deep: bool,
}

/// Levels of `/* */`.
const MAX_COMMENT_DEPTH: usize = 8;

pub(super) fn is_newline(character: char) -> bool {
    matches!(character, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Space inside a line, as the KDL specification lists it; a byte order mark counts as space.
pub(super) fn is_space(character: char) -> bool {
    !is_newline(character) && (character.is_whitespace() || character == '\u{feff}')
}

/// The length of the rest of the line, its end excluded.
pub(super) fn skip_line(rest: &str) -> usize {
    rest.find(is_newline).unwrap_or(rest.len())
}

/// `rest` begins with `/*`.
pub(super) fn skip_comment(rest: &str) -> Result<usize, BadComment> {
    let bytes = rest.as_bytes();
    let (mut at, mut depth) = (0, 0_usize);
    while let Some(pair) = bytes.get(at..at + 2) {
        match pair {
            b"/*" if depth == MAX_COMMENT_DEPTH => {
                return Err(BadComment { message: "comments are nested deeper than 8 levels", too_deep: true });
            }
            b"/*" => (depth, at) = (depth + 1, at + 2),
            b"*/" if depth == 1 => return Ok(at + 2),
            b"*/" => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
    }
    Err(BadComment { message: "this comment is never closed", too_deep: false })
}

/// `rest` begins with `"`.
pub(super) fn skip_string(rest: &str) -> Result<usize, Unclosed> {
    if rest.starts_with("\"\"\"") {
        return skip_multi_line(rest);
    }
    let mut characters = rest.char_indices().skip(1).peekable();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Ok(at + 1),
            '\\' => {
                let escaped = characters.next().map_or(' ', |(_, escaped)| escaped);
                let white = |character: char| is_space(character) || is_newline(character);
                if white(escaped) {
                    while characters.next_if(|(_, character)| white(*character)).is_some() {}
                }
            }
            _ if is_newline(character) => return Err(unclosed_on_line(at)),
            _ => {}
        }
    }
    Err(unclosed_on_line(rest.len()))
}

fn skip_multi_line(rest: &str) -> Result<usize, Unclosed> {
    let bytes = rest.as_bytes();
    let mut at = 3;
    while at < bytes.len() {
        match bytes.get(at) {
            Some(b'\\') => at += 2,
            Some(b'"') if bytes.get(at..at + 3) == Some(b"\"\"\"") => return Ok(at + 3),
            _ => at += 1,
        }
    }
    Err(unclosed_lines(rest.len()))
}

/// The length of a raw string such as `#"a"#`; `None` when `rest` does not begin with one.
pub(super) fn skip_raw_string(rest: &str) -> Option<Result<usize, Unclosed>> {
    let hashes = rest.bytes().take_while(|byte| *byte == b'#').count();
    let (fence, body) = rest.split_at_checked(hashes)?;
    if hashes == 0 || !body.starts_with('"') {
        return None;
    }
    let several_lines = body.starts_with("\"\"\"");
    let quotes = if several_lines { "\"\"\"" } else { "\"" };
    let content = body.get(quotes.len()..)?;
    let closing = format!("{quotes}{fence}");
    if several_lines {
        let end = content.find(&closing);
        return Some(end.map(|end| end + 2 * (hashes + quotes.len())).ok_or_else(|| unclosed_lines(rest.len())));
    }
    // Its line ends where it does or later: only so far is looked, or many strings on one line take forever.
    let mut from = 0;
    Some(loop {
        let found = content.get(from..).and_then(|rest| rest.find(|next| next == '"' || is_newline(next)));
        let Some(at) = found.map(|found| from + found) else {
            break Err(unclosed_on_line(hashes + 1 + content.len()));
        };
        let tail = content.get(at..).unwrap_or("");
        if tail.starts_with(&closing) {
            break Ok(hashes + at + 2 + hashes);
        }
        if !tail.starts_with('"') {
            break Err(unclosed_on_line(hashes + 1 + at));
        }
        from = at + 1;
    })
}

fn unclosed_on_line(length: usize) -> Unclosed {
    Unclosed {
        message: "this string does not end on its line",
        help: "write the closing quote, or `\"\"\"` before and after text of several lines",
        length,
    }
}

fn unclosed_lines(length: usize) -> Unclosed {
    Unclosed {
        message: "this string is never closed",
        help: "write the same quotes and `#` signs where it ends",
        length,
    }
}
