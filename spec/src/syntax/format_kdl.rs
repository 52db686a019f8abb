//! KDL text with other white space: nothing but spaces and line ends is ever added or left out.
//!
//! The text is one that was read without mistakes: its strings, comments and braces end.

use super::kdl_tokens::{is_newline, is_space, skip_comment, skip_line, skip_raw_string, skip_string};

const INDENT: &str = "    ";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token<'t> {
    Space,
    Newline,
    /// `\` before the end of a line, a comment between them included.
    Escape(Option<&'t str>),
    LineComment(&'t str),
    BlockComment(&'t str),
    Open,
    Close,
    Semicolon,
    Equals,
    /// Words, strings and everything else.
    Text(&'t str),
}

/// Four spaces for each block, one between words, at most one empty line in a row. `None` when the text has a string
/// or comment without end.
pub(crate) fn format(text: &str) -> Option<String> {
    let tokens = tokens(text)?;
    let mut printer = Printer { out: String::with_capacity(text.len()), ..Printer::default() };
    for (index, token) in tokens.iter().enumerate() {
        printer.token(*token, tokens.get(index + 1).copied());
    }
    let mut out = printer.out;
    out.truncate(out.trim_end_matches([' ', '\n']).len());
    if !out.is_empty() {
        out.push('\n');
    }
    Some(out)
}

fn tokens(text: &str) -> Option<Vec<Token<'_>>> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let (token, length) = token(rest, next)?;
        if token != Token::Space || tokens.last() != Some(&Token::Space) {
            tokens.push(token);
        }
        rest = rest.get(length..)?;
    }
    Some(tokens)
}

fn token(rest: &str, next: char) -> Option<(Token<'_>, usize)> {
    if is_newline(next) {
        let length = if rest.starts_with("\r\n") { 2 } else { next.len_utf8() };
        return Some((Token::Newline, length));
    }
    if is_space(next) {
        return Some((Token::Space, next.len_utf8()));
    }
    if rest.starts_with("//") {
        let length = skip_line(rest);
        return Some((Token::LineComment(rest.get(..length)?.trim_end()), length));
    }
    if rest.starts_with("/*") {
        let length = skip_comment(rest).ok()?;
        return Some((Token::BlockComment(rest.get(..length)?), length));
    }
    if let Some(raw) = skip_raw_string(rest) {
        let length = raw.ok()?;
        return Some((Token::Text(rest.get(..length)?), length));
    }
    match next {
        '{' => Some((Token::Open, 1)),
        '}' => Some((Token::Close, 1)),
        ';' => Some((Token::Semicolon, 1)),
        '=' => Some((Token::Equals, 1)),
        '\\' => escape(rest),
        '"' => skip_string(rest).ok().and_then(|length| Some((Token::Text(rest.get(..length)?), length))),
        _ if rest.starts_with("/-") => Some((Token::Text("/-"), 2)),
        _ => {
            let ends =
                |character: char| is_newline(character) || is_space(character) || "{};=\\\"/#".contains(character);
            let skipped = next.len_utf8();
            let length = rest.get(skipped..)?.find(ends).map_or(rest.len(), |found| skipped + found);
            Some((Token::Text(rest.get(..length)?), length))
        }
    }
}

fn escape(rest: &str) -> Option<(Token<'_>, usize)> {
    let after = rest.get(1..)?;
    let line = after.trim_start_matches(is_space);
    let comment = line.starts_with("//").then(|| line.get(..skip_line(line)).unwrap_or(line));
    let tail = line.get(comment.map_or(0, str::len)..)?;
    let end = match tail.chars().next() {
        None => 0,
        Some('\r') if tail.starts_with("\r\n") => 2,
        Some(next) if is_newline(next) => next.len_utf8(),
        Some(_) => return None,
    };
    Some((Token::Escape(comment.map(str::trim_end)), rest.len() - tail.len() + end))
}

/// The new text so far.
#[derive(Default)]
struct Printer<'t> {
    out: String,
    depth: usize,
    /// The last token of the current line, spaces left out; none at the beginning of the line.
    last: Option<Token<'t>>,
    /// Whether spaces stand between it and what comes next.
    spaced: bool,
    /// Whether nothing but comments has been written since a block was opened on this line or the one before.
    opened: bool,
    /// Whether the line carries on what stands in the one before.
    continued: bool,
}

impl<'t> Printer<'t> {
    fn token(&mut self, token: Token<'t>, next: Option<Token<'t>>) {
        match token {
            Token::Space => {
                self.spaced = true;
                return;
            }
            Token::Newline => {
                self.newline();
                return;
            }
            Token::Close => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        self.before(token);
        match token {
            Token::LineComment(text) | Token::BlockComment(text) | Token::Text(text) => self.out.push_str(text),
            Token::Open => self.out.push('{'),
            Token::Close => self.out.push('}'),
            Token::Semicolon => self.out.push(';'),
            Token::Equals => self.out.push('='),
            Token::Escape(comment) => {
                self.out.push('\\');
                if let Some(comment) = comment {
                    self.out.push(' ');
                    self.out.push_str(comment);
                }
            }
            Token::Space | Token::Newline => {}
        }
        if token == Token::Open {
            self.depth += 1;
        }
        self.opened =
            token == Token::Open || self.opened && self.last.is_some() && matches!(token, Token::LineComment(_));
        (self.last, self.spaced) = (Some(token), false);
        if matches!(token, Token::Escape(_)) {
            self.out.push('\n');
            // What follows may be another end of line, which ends the node.
            (self.last, self.continued) = (None, next.is_some_and(|next| next != Token::Newline));
        }
    }

    fn newline(&mut self) {
        let empty = self.out.is_empty() || self.out.ends_with("\n\n");
        if self.last.is_some() || !(self.opened || empty) {
            self.out.push('\n');
        }
        (self.last, self.spaced, self.continued) = (None, false, false);
    }

    /// White space between what was written last and `next`.
    fn before(&mut self, next: Token<'_>) {
        let Some(last) = self.last else {
            if next == Token::Close && self.out.ends_with("\n\n") {
                self.out.pop();
            }
            let levels = self.depth + usize::from(self.continued && next != Token::Close);
            self.continued = false;
            (0..levels).for_each(|_| self.out.push_str(INDENT));
            return;
        };
        let space = match (last, next) {
            (Token::Open, Token::Close) | (_, Token::Semicolon) => false,
            (Token::Equals, Token::Text(_)) | (Token::Text(_), Token::Equals) => false,
            (Token::Open | Token::Semicolon | Token::Close, _) => true,
            (Token::Text("/-"), Token::Open) => self.spaced,
            (_, Token::Open | Token::Close | Token::LineComment(_) | Token::Escape(_)) => true,
            _ => self.spaced,
        };
        if space {
            self.out.push(' ');
        }
    }
}
