//! Writes a message in protobuf's JSON mapping, in whatever syntax: straight from its encoding into text.

use std::fmt::{self, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use prost::Name;

use crate::schema::{self, Field, Form, OPENED_DEPTH};
use crate::view::{Content, Datum, Part, View, content, datum, layout_of};

/// The whole numbers that a double holds exactly, and that Envoy's YAML reader keeps as numbers.
const MAX_EXACT: f64 = 9_007_199_254_740_991.0;

/// Takes values in the order of the text. What is opened is not empty.
pub(crate) trait Syntax {
    fn null(&mut self);
    fn bool(&mut self, value: bool);
    fn integer(&mut self, value: i64);
    /// Neither infinite nor NaN.
    fn float(&mut self, value: f64);
    fn text(&mut self, text: &str);
    fn empty_map(&mut self);
    fn open_map(&mut self);
    /// Before each value of a message: a key of letters, digits and underscores, the first a letter.
    fn name(&mut self, name: &str);
    /// Before each value of a map.
    fn key(&mut self, key: &str);
    fn close_map(&mut self);
    fn empty_list(&mut self);
    fn open_list(&mut self);
    /// Before each value of a list.
    fn item(&mut self);
    fn close_list(&mut self);
}

/// Fields in declaration order under their proto names, map keys sorted, `Any` expanded.
///
/// The bytes are the encoding of an `M`.
pub(crate) fn print<M: Name>(encoded: &[u8], syntax: &mut impl Syntax) {
    let mut printer = Printer { syntax, scratch: String::new(), spare: vec![] };
    match View::open(layout_of::<M>(), encoded) {
        Some(view) => printer.message(view, 0),
        None => printer.packed(&M::type_url(), encoded),
    }
}

struct Printer<'a, 's, S> {
    syntax: &'s mut S,
    /// Where values become text.
    scratch: String,
    /// Empty lists to use again.
    spare: Vec<Vec<Part<'a>>>,
}

impl<'a, S: Syntax> Printer<'a, '_, S> {
    fn message(&mut self, view: View<'a>, depth: usize) {
        match view.layout.form {
            Form::Plain => self.with_parts(view, |printer, parts| {
                if parts.is_empty() {
                    return printer.syntax.empty_map();
                }
                printer.syntax.open_map();
                printer.fields(view, parts, depth);
                printer.syntax.close_map();
            }),
            Form::Any => self.any(view, depth),
            Form::Duration => self.duration(view),
            Form::Timestamp => self.timestamp(view),
            Form::Container | Form::Wrapper => self.with_parts(view, |printer, parts| match view.layout.fields {
                [field, ..] => printer.content(field, parts, depth),
                [] => printer.syntax.null(),
            }),
            Form::Value => self.with_parts(view, |printer, parts| {
                let first =
                    parts.first().and_then(|part| Some((view.layout.fields.get(usize::from(part.place))?, part)));
                match first {
                    Some((field, part)) => printer.value(datum(field.kind, part.raw), depth),
                    None => printer.syntax.null(),
                }
            }),
        }
    }

    fn with_parts(&mut self, view: View<'a>, print: impl FnOnce(&mut Self, &[Part<'a>])) {
        let mut parts = self.spare.pop().unwrap_or_default();
        view.parts(&mut parts);
        print(self, &parts);
        parts.clear();
        self.spare.push(parts);
    }

    fn fields(&mut self, view: View<'a>, parts: &[Part<'a>], depth: usize) {
        for parts in parts.chunk_by(|one, other| one.place == other.place) {
            let place = parts.first().map_or(0, |part| usize::from(part.place));
            let Some(field) = view.layout.fields.get(place) else { continue };
            self.syntax.name(field.name);
            self.content(field, parts, depth);
        }
    }

    fn content(&mut self, field: &Field, parts: &[Part<'a>], depth: usize) {
        match content(field, parts) {
            Content::One(datum) => self.value(datum, depth),
            Content::List(_, []) => self.syntax.empty_list(),
            Content::List(kind, parts) => {
                self.syntax.open_list();
                for part in parts {
                    self.syntax.item();
                    self.value(datum(kind, part.raw), depth);
                }
                self.syntax.close_list();
            }
            Content::Map(_, entries) if entries.is_empty() => self.syntax.empty_map(),
            Content::Map(kind, entries) => {
                self.syntax.open_map();
                for (key, raw) in entries {
                    self.scratch.clear();
                    // Writing to a string cannot fail.
                    let _ = write!(self.scratch, "{key}");
                    self.syntax.key(&self.scratch);
                    self.value(datum(kind, raw), depth);
                }
                self.syntax.close_map();
            }
        }
    }

    fn value(&mut self, datum: Datum<'a>, depth: usize) {
        match datum {
            Datum::Null => self.syntax.null(),
            Datum::Bool(value) => self.syntax.bool(value),
            Datum::Small(value) => self.syntax.integer(value),
            Datum::Signed(value) => self.text(format_args!("{value}")),
            Datum::Unsigned(value) => self.text(format_args!("{value}")),
            Datum::Float(value) => self.float(shortest(value)),
            Datum::Double(value) => self.float(value),
            Datum::Text(text) => self.syntax.text(text),
            Datum::Bytes(bytes) => self.base64(bytes),
            Datum::Enum(index, number) => match schema::value_name(index, number) {
                Some(name) => self.syntax.text(name),
                None => self.syntax.integer(i64::from(number)),
            },
            Datum::Message(view) => self.message(view, depth + 1),
        }
    }

    fn any(&mut self, any: View<'a>, depth: usize) {
        let url = any.url();
        if url.is_empty() {
            return self.syntax.empty_map();
        }
        let inner = if depth < OPENED_DEPTH { any.unpacked() } else { None };
        let Some(inner) = inner else { return self.packed(url, any.get(2).bytes()) };
        self.syntax.open_map();
        self.syntax.key("@type");
        self.syntax.text(url);
        if inner.layout.form == Form::Plain {
            self.with_parts(inner, |printer, parts| printer.fields(inner, parts, depth + 1));
        } else {
            self.syntax.name("value");
            self.message(inner, depth + 1);
        }
        self.syntax.close_map();
    }

    /// What cannot be opened is shown as it is carried.
    fn packed(&mut self, url: &str, bytes: &[u8]) {
        self.syntax.open_map();
        self.syntax.key("@type");
        self.syntax.text(url);
        self.syntax.name("value");
        self.base64(bytes);
        self.syntax.close_map();
    }

    fn base64(&mut self, bytes: &[u8]) {
        self.scratch.clear();
        BASE64.encode_string(bytes, &mut self.scratch);
        self.syntax.text(&self.scratch);
    }

    fn float(&mut self, value: f64) {
        if value.is_nan() {
            self.syntax.text("NaN");
        } else if value.is_infinite() {
            self.syntax.text(if value > 0.0 { "Infinity" } else { "-Infinity" });
        } else if value.fract() == 0.0 && value.abs() <= MAX_EXACT && !(value == 0.0 && value.is_sign_negative()) {
            self.syntax.integer(value as i64);
        } else {
            self.syntax.float(value);
        }
    }

    /// Seconds with as many of 0, 3, 6 or 9 decimals as the value needs.
    fn duration(&mut self, duration: View<'_>) {
        let nanos = duration.nanoseconds();
        let sign = if nanos < 0 { "-" } else { "" };
        let nanos = nanos.unsigned_abs();
        let (seconds, rest) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
        match rest {
            0 => self.text(format_args!("{sign}{seconds}s")),
            rest if rest % 1_000_000 == 0 => self.text(format_args!("{sign}{seconds}.{:03}s", rest / 1_000_000)),
            rest if rest % 1_000 == 0 => self.text(format_args!("{sign}{seconds}.{:06}s", rest / 1_000)),
            rest => self.text(format_args!("{sign}{seconds}.{rest:09}s")),
        }
    }

    fn timestamp(&mut self, timestamp: View<'_>) {
        let nanos = timestamp.nanoseconds();
        let seconds = i64::try_from(nanos.div_euclid(1_000_000_000)).unwrap_or(i64::MAX);
        let nanos = i32::try_from(nanos.rem_euclid(1_000_000_000)).unwrap_or(0);
        self.text(format_args!("{}", prost_types::Timestamp { seconds, nanos }));
    }

    fn text(&mut self, text: fmt::Arguments<'_>) {
        self.scratch.clear();
        // Writing to a string cannot fail.
        let _ = self.scratch.write_fmt(text);
        self.syntax.text(&self.scratch);
    }
}

/// The double with the fewest digits that reads back as this float: 0.1, not 0.10000000149011612.
fn shortest(value: f32) -> f64 {
    value.to_string().parse().unwrap_or(f64::from(value))
}
