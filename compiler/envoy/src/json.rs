//! Prints a message as JSON: protobuf's own mapping, and always the same bytes.

use std::fmt::{Display, Write};

use prost::{Message, Name};

use crate::print::{Syntax, print};

const STEP: usize = 2;

/// Pretty JSON with Envoy's field names, in the order in which Envoy declares them.
///
/// Defaults are left out; what has presence is printed even when it is zero. A message that
/// nests deeper than protobuf readers go (100) is printed as its bytes.
pub fn to_json<M: Name + Message>(message: &M) -> String {
    let encoded = message.encode_to_vec();
    let mut json = Json { out: String::with_capacity(encoded.len() * 4), indent: 0, follows: false };
    print::<M>(&encoded, &mut json);
    json.out.push('\n');
    json.out
}

struct Json {
    out: String,
    indent: usize,
    /// Whether the next item or entry needs a comma before it.
    follows: bool,
}

impl Json {
    fn open(&mut self, bracket: char) {
        self.out.push(bracket);
        self.indent += STEP;
        self.follows = false;
    }

    fn close(&mut self, bracket: char) {
        self.indent -= STEP;
        self.new_line();
        self.out.push(bracket);
        self.follows = true;
    }

    fn new_line(&mut self) {
        self.out.push('\n');
        crate::yaml::pad(self.indent, &mut self.out);
    }

    fn next(&mut self) {
        if self.follows {
            self.out.push(',');
        }
        self.follows = true;
        self.new_line();
    }

    fn quoted(&mut self, text: &str) {
        if text.bytes().any(|byte| byte < b' ' || matches!(byte, b'"' | b'\\')) {
            return self.plain(serde_json::Value::from(text));
        }
        self.out.push('"');
        self.out.push_str(text);
        self.out.push('"');
    }

    fn plain(&mut self, value: impl Display) {
        // Writing to a string cannot fail.
        let _ = write!(self.out, "{value}");
    }
}

impl Syntax for Json {
    fn null(&mut self) {
        self.out.push_str("null");
    }

    fn bool(&mut self, value: bool) {
        self.plain(value);
    }

    fn integer(&mut self, value: i64) {
        self.plain(value);
    }

    fn float(&mut self, value: f64) {
        self.plain(serde_json::Value::from(value));
    }

    fn text(&mut self, text: &str) {
        self.quoted(text);
    }

    fn empty_map(&mut self) {
        self.out.push_str("{}");
    }

    fn open_map(&mut self) {
        self.open('{');
    }

    fn name(&mut self, name: &str) {
        self.next();
        self.out.push('"');
        self.out.push_str(name);
        self.out.push_str("\": ");
    }

    fn key(&mut self, key: &str) {
        self.next();
        self.quoted(key);
        self.out.push_str(": ");
    }

    fn close_map(&mut self) {
        self.close('}');
    }

    fn empty_list(&mut self) {
        self.out.push_str("[]");
    }

    fn open_list(&mut self) {
        self.open('[');
    }

    fn item(&mut self) {
        self.next();
    }

    fn close_list(&mut self) {
        self.close(']');
    }
}
