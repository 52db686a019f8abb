//! Prints a message as YAML that readers of YAML 1.1 and of YAML 1.2 understand alike.
//!
//! Envoy reads YAML 1.1, most other tools 1.2: `no`, `1_000`, `0x1f` or `12:30:45` mean different
//! things to them, so every text that any of them could take for something else is quoted.
//! Envoy's reader knows no fractions in free-form metadata and keeps them as text: use JSON there.

mod scalar;

use std::fmt::Write;

use prost::{Message, Name};

use crate::print::{Syntax, print};

const STEP: usize = 2;

/// A longer key needs the explicit form: readers give up on `key:` after 1024 characters.
const LONGEST_SIMPLE_KEY: usize = 1000;

/// YAML with the same content and order as [`to_json`](crate::to_json).
pub fn to_yaml<M: Name + Message>(message: &M) -> String {
    let mut out = String::new();
    add_yaml(message, 0, &mut out);
    out
}

/// Adds the lines of [`to_yaml`] to a text, each but the first moved right by `indent` spaces.
///
/// What goes before the first line is the caller's: as many spaces, or the dash of a list.
pub fn add_yaml<M: Name + Message>(message: &M, indent: usize, out: &mut String) {
    let encoded = message.encode_to_vec();
    out.reserve(encoded.len() * 4);
    print::<M>(&encoded, &mut Yaml { out, indent, at: At::Start });
}

/// Where the next value, key or item goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    /// On the line that the caller has begun.
    Start,
    /// Beside its key.
    Key,
    /// Beside its dash.
    Item,
    /// On a line of its own, not yet indented.
    Line,
}

pub(crate) struct Yaml<'o> {
    out: &'o mut String,
    /// Of the innermost open collection; before there is one, its own.
    indent: usize,
    at: At,
}

impl Yaml<'_> {
    fn open(&mut self) {
        match self.at {
            At::Start | At::Line => {}
            At::Key => {
                self.indent += STEP;
                self.out.push('\n');
                self.at = At::Line;
            }
            At::Item => {
                self.indent += STEP;
                self.out.push(' ');
                self.at = At::Start;
            }
        }
    }

    fn close(&mut self) {
        self.indent = self.indent.saturating_sub(STEP);
    }

    fn begin(&mut self) {
        if self.at == At::Line {
            pad(self.indent, self.out);
        }
    }

    /// A value on the line of its key or dash.
    fn leaf(&mut self, write: impl FnOnce(&mut String)) {
        if self.at != At::Start {
            self.out.push(' ');
        }
        write(self.out);
        self.out.push('\n');
        self.at = At::Line;
    }
}

impl Syntax for Yaml<'_> {
    fn null(&mut self) {
        self.leaf(|out| out.push_str("null"));
    }

    fn bool(&mut self, value: bool) {
        self.leaf(|out| out.push_str(if value { "true" } else { "false" }));
    }

    fn integer(&mut self, value: i64) {
        self.leaf(|out| {
            // Writing to a string cannot fail.
            let _ = write!(out, "{value}");
        });
    }

    fn float(&mut self, value: f64) {
        self.leaf(|out| out.push_str(&scalar::float(value)));
    }

    /// A text of several lines continues below.
    fn text(&mut self, text: &str) {
        let header = if self.at == At::Start { None } else { scalar::block_header(text) };
        let Some(header) = header else { return self.leaf(|out| scalar::on_one_line(text, out)) };
        self.leaf(|out| out.push_str(header));
        for line in text.lines() {
            if !line.is_empty() {
                pad(self.indent + STEP, self.out);
            }
            self.out.push_str(line);
            self.out.push('\n');
        }
    }

    fn empty_map(&mut self) {
        self.leaf(|out| out.push_str("{}"));
    }

    fn open_map(&mut self) {
        self.open();
    }

    fn name(&mut self, name: &str) {
        self.begin();
        scalar::name(name, self.out);
        self.out.push(':');
        self.at = At::Key;
    }

    fn key(&mut self, key: &str) {
        self.begin();
        let start = self.out.len();
        scalar::on_one_line(key, self.out);
        if self.out.len() - start > LONGEST_SIMPLE_KEY {
            self.out.insert_str(start, "? ");
            self.out.push('\n');
            pad(self.indent, self.out);
        }
        self.out.push(':');
        self.at = At::Key;
    }

    fn close_map(&mut self) {
        self.close();
    }

    fn empty_list(&mut self) {
        self.leaf(|out| out.push_str("[]"));
    }

    fn open_list(&mut self) {
        self.open();
    }

    fn item(&mut self) {
        self.begin();
        self.out.push('-');
        self.at = At::Item;
    }

    fn close_list(&mut self) {
        self.close();
    }
}

/// Adds as many spaces.
pub(crate) fn pad(count: usize, out: &mut String) {
    const SPACES: &str = "                                                                ";
    match SPACES.get(..count) {
        Some(spaces) => out.push_str(spaces),
        None => out.extend(std::iter::repeat_n(' ', count)),
    }
}

#[cfg(test)]
mod tests;
