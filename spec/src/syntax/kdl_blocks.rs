//! Cuts a KDL text at its braces, so that the KDL library only ever sees one line of one node.
//!
//! The library recurses once for each brace, comment or slashdash, has no limit, and after a mistake may take
//! balanced braces for nested ones: a page of mistakes overflows the stack. Here nesting is a loop with a bound.

use super::kdl_tokens::{is_newline, is_space, skip_comment, skip_line, skip_raw_string, skip_string};
use crate::codes;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::{FileId, Span};

/// A node's text up to its block, terminator or end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// `start..end` holds one node without children, or a removed one.
    Leaf {
        start: usize,
        end: usize,
    },
    /// A node with a reported mistake.
    Broken {
        start: usize,
        end: usize,
    },
    /// The same, and a block follows.
    Open {
        start: usize,
        end: usize,
        block: Block,
    },
    Close,
}

/// What becomes of the block that follows a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Block {
    Kept,
    /// A slashdash before the node or the block removes it.
    Removed,
    /// The node's own text has a reported mistake.
    Orphaned,
}

/// Levels of braces.
const MAX_DEPTH: usize = 32;
/// `/-` in a row.
const MAX_SLASHDASHES: usize = 8;
/// How often one node's text may hold `{`, `/*` or `/-`, strings included: after a mistake the library may read
/// on inside a string.
const MAX_RECURSIONS: usize = 64;
/// After so many mistakes the text is something else than KDL.
const MAX_MISTAKES: usize = 100;

/// The pieces in the order of the text; every `Open` has its `Close`. `None` when a bound is exceeded.
pub(super) fn cut(text: &str, file: FileId, diagnostics: &mut Diagnostics) -> Option<Vec<Piece>> {
    let mut cutter = Cutter::new(text, file);
    let done = cutter.run();
    let mistakes = std::mem::take(&mut cutter.mistakes);
    mistakes.into_iter().for_each(|mistake| diagnostics.push(mistake));
    done.map(|()| cutter.pieces)
}

/// Where the scan is, and what it has seen of the current node.
struct Cutter<'t> {
    text: &'t str,
    file: FileId,
    at: usize,
    /// Where the current node's text begins.
    start: usize,
    last: Last,
    /// The current node begins with a slashdash.
    removed: bool,
    /// The current node has a token that does not end.
    broken: bool,
    slashdashes: usize,
    open: Vec<usize>,
    pieces: Vec<Piece>,
    mistakes: Vec<Diagnostic>,
}

/// The last thing in the current node that is neither space nor comment.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    Nothing,
    Token,
    Slashdash {
        at: usize,
    },
    Escape,
    /// The block of the node: nothing but a terminator may follow.
    Block,
}

impl<'t> Cutter<'t> {
    fn new(text: &'t str, file: FileId) -> Self {
        Self {
            text,
            file,
            at: 0,
            start: 0,
            last: Last::Nothing,
            removed: false,
            broken: false,
            slashdashes: 0,
            open: Vec::new(),
            pieces: Vec::new(),
            mistakes: Vec::new(),
        }
    }

    fn run(&mut self) -> Option<()> {
        while let Some(next) = self.rest().chars().next() {
            match next {
                '{' => self.open_block()?,
                '}' => self.close_block()?,
                ';' => {
                    self.end_node()?;
                    self.begin_node(self.at + 1);
                }
                _ if is_newline(next) => self.newline(next)?,
                _ => self.token(next)?,
            }
        }
        self.end_node()?;
        while let Some(brace) = self.open.pop() {
            let mistake = Diagnostic::error(codes::SYNTAX, self.span(brace, brace + 1), "this `{` is never closed");
            self.mistake(mistake.help("write `}` where the block ends"))?;
            self.pieces.push(Piece::Close);
        }
        Some(())
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or("")
    }

    /// Whole characters: an end inside one is moved behind it.
    fn span(&self, start: usize, end: usize) -> Span {
        let end = (end..self.text.len()).find(|at| self.text.is_char_boundary(*at)).unwrap_or(self.text.len());
        Span::new(self.file, start, end)
    }

    fn mistake(&mut self, mistake: Diagnostic) -> Option<()> {
        self.mistakes.push(mistake);
        (self.mistakes.len() < MAX_MISTAKES).then_some(())
    }

    fn too_large(&mut self, start: usize, message: String) -> Option<()> {
        self.mistakes.push(Diagnostic::error(codes::TOO_LARGE, self.span(start, self.at + 1), message));
        None
    }

    fn begin_node(&mut self, at: usize) {
        self.at = at;
        self.start = at;
        self.last = Last::Nothing;
        self.removed = false;
        self.broken = false;
        self.slashdashes = 0;
    }

    fn newline(&mut self, newline: char) -> Option<()> {
        let after = self.at + newline.len_utf8();
        match self.last {
            Last::Escape => self.last = Last::Token,
            Last::Slashdash { .. } => {}
            Last::Nothing | Last::Token | Last::Block => {
                self.end_node()?;
                self.begin_node(after);
            }
        }
        self.at = after;
        Some(())
    }

    /// The current node has no block, or has had it.
    fn end_node(&mut self) -> Option<()> {
        let (start, end) = (self.start, self.at);
        self.check_recursions(start, end)?;
        if self.broken {
            self.pieces.push(Piece::Broken { start, end });
        } else if !matches!(self.last, Last::Nothing | Last::Block) {
            self.pieces.push(Piece::Leaf { start, end });
        }
        Some(())
    }

    fn open_block(&mut self) -> Option<()> {
        let (start, brace) = (self.start, self.at);
        if self.open.len() == MAX_DEPTH {
            return self.too_large(brace, format!("blocks are nested deeper than {MAX_DEPTH} levels"));
        }
        self.check_recursions(start, brace)?;
        if self.broken {
            self.pieces.push(Piece::Broken { start, end: brace });
        }
        let (end, block) = match self.last {
            _ if self.broken => (start, Block::Orphaned),
            Last::Slashdash { at } => (at, Block::Removed),
            _ if self.removed => (brace, Block::Removed),
            Last::Nothing | Last::Block => {
                let mistake = Diagnostic::error(codes::SYNTAX, self.span(brace, brace + 1), "this block has no name");
                self.mistake(mistake.help("write the name before `{`, on the same line"))?;
                (start, Block::Orphaned)
            }
            Last::Token | Last::Escape => (brace, Block::Kept),
        };
        self.pieces.push(Piece::Open { start, end, block });
        self.open.push(brace);
        self.begin_node(brace + 1);
        Some(())
    }

    fn close_block(&mut self) -> Option<()> {
        self.end_node()?;
        if self.open.pop().is_some() {
            self.pieces.push(Piece::Close);
        } else {
            let mistake = Diagnostic::error(codes::SYNTAX, self.span(self.at, self.at + 1), "this `}` closes nothing");
            self.mistake(mistake)?;
        }
        self.begin_node(self.at + 1);
        self.last = Last::Block;
        Some(())
    }

    fn token(&mut self, next: char) -> Option<()> {
        let rest = self.rest();
        if is_space(next) {
            self.at += next.len_utf8();
            return Some(());
        }
        if rest.starts_with("//") {
            self.at += skip_line(rest);
            return Some(());
        }
        if rest.starts_with("/*") {
            return self.comment();
        }
        self.expect_terminator()?;
        if rest.starts_with("/-") {
            return self.slashdash();
        }
        self.slashdashes = 0;
        if next == '\\' {
            self.last = Last::Escape;
            self.at += 1;
            return Some(());
        }
        self.last = Last::Token;
        match if next == '"' { Some(skip_string(rest)) } else { skip_raw_string(rest) } {
            Some(Ok(length)) => self.at += length,
            Some(Err(unclosed)) => {
                let (start, end) = (self.at, self.at + unclosed.length);
                self.at = end;
                self.broken = true;
                let mistake = Diagnostic::error(codes::SYNTAX, self.span(start, end), unclosed.message);
                self.mistake(mistake.help(unclosed.help))?;
            }
            None if next == '#' => self.at += rest.bytes().take_while(|byte| *byte == b'#').count(),
            None => self.at += next.len_utf8(),
        }
        Some(())
    }

    fn comment(&mut self) -> Option<()> {
        match skip_comment(self.rest()) {
            Ok(length) => self.at += length,
            Err(error) => {
                let start = self.at;
                if error.too_deep {
                    return self.too_large(start, error.message.to_owned());
                }
                self.at = self.text.len();
                self.broken = self.last != Last::Nothing;
                self.mistake(Diagnostic::error(codes::SYNTAX, self.span(start, start + 2), error.message))?;
            }
        }
        Some(())
    }

    fn slashdash(&mut self) -> Option<()> {
        self.removed |= self.last == Last::Nothing;
        self.last = Last::Slashdash { at: self.at };
        self.slashdashes += 1;
        if self.slashdashes > MAX_SLASHDASHES {
            return self.too_large(self.at, format!("more than {MAX_SLASHDASHES} `/-` in a row"));
        }
        self.at += 2;
        Some(())
    }

    /// After a block, a node needs a terminator before it; another removed block does not.
    fn expect_terminator(&mut self) -> Option<()> {
        if self.last != Last::Block {
            return Some(());
        }
        self.begin_node(self.at);
        if self.rest().starts_with("/-") {
            return Some(());
        }
        let mistake = Diagnostic::error(codes::SYNTAX, self.span(self.at, self.at + 1), "a new node begins here");
        self.mistake(mistake.help("write it on a new line, or write `;` before it"))
    }

    fn check_recursions(&mut self, start: usize, end: usize) -> Option<()> {
        let node = self.text.get(start..end).unwrap_or("");
        let worst = ["{", "/*", "/-"].into_iter().find(|opener| node.matches(opener).count() > MAX_RECURSIONS);
        match worst {
            Some(opener) => {
                let message =
                    format!("one node holds more than {MAX_RECURSIONS} `{opener}`, comments and text included");
                self.too_large(start, message)
            }
            None => Some(()),
        }
    }
}
