//! A message as it lies in its encoding: read where it is, never copied.

use std::fmt;

use prost::{Message, Name};

use crate::schema::{self, Field, Form, Kind, LAYOUTS, Layout, Shape};
use crate::wire::{self, Raw};

/// How deep messages nest, at most: the limit of every protobuf reader.
const MAX_DEPTH: usize = 100;

/// Bytes that are a message of this layout, down to the last field of the innermost message.
///
/// A field of one value is in it at most once: encoders write nothing else.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View<'a> {
    pub(crate) layout: &'static Layout,
    bytes: &'a [u8],
}

/// One value of one field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Part<'a> {
    /// The field's place in the layout.
    pub(crate) place: u8,
    pub(crate) raw: Raw<'a>,
}

/// What a field holds.
#[derive(Debug)]
pub(crate) enum Content<'a, 'p> {
    One(Datum<'a>),
    List(Kind, &'p [Part<'a>]),
    /// Sorted by key.
    Map(Kind, Vec<(Key<'a>, Raw<'a>)>),
}

/// A single value.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Datum<'a> {
    Null,
    Bool(bool),
    /// Of 32 bits, signed or not.
    Small(i64),
    Signed(i64),
    Unsigned(u64),
    Float(f32),
    Double(f64),
    Text(&'a str),
    Bytes(&'a [u8]),
    Enum(u16, i32),
    Message(View<'a>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Key<'a> {
    Bool(bool),
    Signed(i64),
    Unsigned(u64),
    Text(&'a str),
}

/// The layout of a generated type.
pub(crate) fn layout_of<M: Name + Message>() -> &'static Layout {
    let name = M::full_name();
    schema::find(&name).unwrap_or_else(|| panic!("`{name}` is generated from the embedded descriptor set"))
}

impl<'a> View<'a> {
    /// `None` if these are not the bytes of such a message, or if it nests deeper than any protobuf reader goes.
    pub(crate) fn open(layout: &'static Layout, bytes: &'a [u8]) -> Option<Self> {
        is_well_formed(layout, bytes, MAX_DEPTH).then_some(View { layout, bytes })
    }

    /// Adds what is set, in the order in which the message declares its fields.
    pub(crate) fn parts(self, parts: &mut Vec<Part<'a>>) {
        let mut rest = self.bytes;
        let mut last = 0;
        let mut in_order = true;
        while let Some((number, raw)) = wire::next(&mut rest) {
            let Some((place, field)) = self.layout.field(number) else { continue };
            in_order &= last <= place;
            last = place;
            match (field.shape, raw) {
                (Shape::Many, Raw::Bytes(mut packed)) if is_packable(field.kind) => {
                    while let Some(raw) = unpacked(field.kind, &mut packed) {
                        parts.push(Part { place, raw });
                    }
                }
                (Shape::One, raw) if !field.presence && is_default(field.kind, raw) => {}
                _ => parts.push(Part { place, raw }),
            }
        }
        if !in_order {
            parts.sort_by_key(|part| part.place);
        }
    }

    /// The field of this number in a message of two or three. Its default if it is not set.
    pub(crate) fn get(self, number: u32) -> Raw<'a> {
        let mut rest = self.bytes;
        while let Some((found, raw)) = wire::next(&mut rest) {
            if found == number {
                return raw;
            }
        }
        Raw::DEFAULT
    }

    /// What an `Any` says that it holds.
    pub(crate) fn url(self) -> &'a str {
        text(self.get(1))
    }

    /// What an `Any` holds. `None` if its type is not in the set, or its bytes are not of that type.
    pub(crate) fn unpacked(self) -> Option<View<'a>> {
        View::open(schema::of_url(self.url())?, self.get(2).bytes())
    }

    /// The length of a `Duration`, or the moment of a `Timestamp`. `i128` holds every pair of fields.
    pub(crate) fn nanoseconds(self) -> i128 {
        let seconds = self.get(1).bits().cast_signed();
        let nanos = self.get(2).bits() as i32;
        i128::from(seconds) * 1_000_000_000 + i128::from(nanos)
    }

    /// The value in a wrapper.
    pub(crate) fn unwrapped(self) -> Option<Datum<'a>> {
        let (Form::Wrapper, [field, ..]) = (self.layout.form, self.layout.fields) else { return None };
        Some(datum(field.kind, self.get(1)))
    }

    pub(crate) fn is_empty(self) -> bool {
        let mut parts = vec![];
        self.parts(&mut parts);
        parts.is_empty()
    }
}

impl Datum<'_> {
    /// Whether it is what a field holds that nobody wrote.
    pub(crate) fn is_default(self) -> bool {
        match self {
            Datum::Null => true,
            Datum::Bool(value) => !value,
            Datum::Small(value) | Datum::Signed(value) => value == 0,
            Datum::Unsigned(value) => value == 0,
            Datum::Float(value) => value == 0.0,
            Datum::Double(value) => value == 0.0,
            Datum::Text(text) => text.is_empty(),
            Datum::Bytes(bytes) => bytes.is_empty(),
            Datum::Enum(_, number) => number == 0,
            Datum::Message(view) => view.is_empty(),
        }
    }
}

impl fmt::Display for Key<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Key::Bool(key) => write!(f, "{key}"),
            Key::Signed(key) => write!(f, "{key}"),
            Key::Unsigned(key) => write!(f, "{key}"),
            Key::Text(key) => f.write_str(key),
        }
    }
}

/// What the field holds whose values these are; without any, its default.
#[inline]
pub(crate) fn content<'a, 'p>(field: &Field, parts: &'p [Part<'a>]) -> Content<'a, 'p> {
    match field.shape {
        Shape::One => Content::One(datum(field.kind, parts.last().map_or(Raw::DEFAULT, |part| part.raw))),
        Shape::Many => Content::List(field.kind, parts),
        Shape::Map(keys) => Content::Map(field.kind, entries(keys, parts)),
    }
}

/// Of two entries with one key, the later one counts.
fn entries<'a>(keys: Kind, parts: &[Part<'a>]) -> Vec<(Key<'a>, Raw<'a>)> {
    let mut entries = Vec::with_capacity(parts.len());
    for part in parts.iter().rev() {
        let (mut key, mut value) = (Raw::DEFAULT, Raw::DEFAULT);
        let mut rest = part.raw.bytes();
        while let Some((number, raw)) = wire::next(&mut rest) {
            match number {
                1 => key = raw,
                2 => value = raw,
                _ => {}
            }
        }
        let key = match datum(keys, key) {
            Datum::Bool(key) => Key::Bool(key),
            Datum::Small(key) | Datum::Signed(key) => Key::Signed(key),
            Datum::Unsigned(key) => Key::Unsigned(key),
            _ => Key::Text(text(key)),
        };
        entries.push((key, value));
    }
    entries.sort_by_key(|(key, _)| *key);
    entries.dedup_by_key(|(key, _)| *key);
    entries
}

/// What a value means.
#[inline]
pub(crate) fn datum(kind: Kind, raw: Raw<'_>) -> Datum<'_> {
    let bits = raw.bits();
    match kind {
        Kind::Bool => Datum::Bool(bits != 0),
        Kind::Int32 | Kind::Sfixed32 => Datum::Small(i64::from(bits as i32)),
        Kind::Sint32 => Datum::Small(i64::from(zigzag(u64::from(bits as u32)) as i32)),
        Kind::Uint32 | Kind::Fixed32 => Datum::Small(i64::from(bits as u32)),
        Kind::Int64 | Kind::Sfixed64 => Datum::Signed(bits.cast_signed()),
        Kind::Sint64 => Datum::Signed(zigzag(bits)),
        Kind::Uint64 | Kind::Fixed64 => Datum::Unsigned(bits),
        Kind::Float => Datum::Float(f32::from_bits(bits as u32)),
        Kind::Double => Datum::Double(f64::from_bits(bits)),
        Kind::Text => Datum::Text(text(raw)),
        Kind::Bytes => Datum::Bytes(raw.bytes()),
        Kind::Null => Datum::Null,
        Kind::Enum(index) => Datum::Enum(index, bits as i32),
        Kind::Message(index) => match LAYOUTS.get(usize::from(index)) {
            Some(layout) => Datum::Message(View { layout, bytes: raw.bytes() }),
            None => unreachable!("the tables name only messages that they have"),
        },
    }
}

fn zigzag(bits: u64) -> i64 {
    (bits >> 1).cast_signed() ^ -(bits & 1).cast_signed()
}

/// The text of a view is UTF-8: it was opened.
#[inline]
fn text(raw: Raw<'_>) -> &str {
    str::from_utf8(raw.bytes()).unwrap_or_default()
}

/// Of a kind without presence: never of a message.
#[inline]
fn is_default(kind: Kind, raw: Raw<'_>) -> bool {
    match kind {
        Kind::Text | Kind::Bytes => raw.bytes().is_empty(),
        // There is a zero with a sign.
        Kind::Float | Kind::Double => datum(kind, raw).is_default(),
        _ => raw.bits() == 0,
    }
}

#[inline]
fn is_packable(kind: Kind) -> bool {
    !matches!(kind, Kind::Text | Kind::Bytes | Kind::Message(_))
}

/// Takes the next of the numbers that follow one another without keys.
#[inline]
fn unpacked<'a>(kind: Kind, packed: &mut &'a [u8]) -> Option<Raw<'a>> {
    match kind {
        Kind::Fixed32 | Kind::Sfixed32 | Kind::Float => wire::fixed32(packed).map(Raw::Fixed32),
        Kind::Fixed64 | Kind::Sfixed64 | Kind::Double => wire::fixed64(packed).map(Raw::Fixed64),
        _ => wire::varint(packed).map(Raw::Varint),
    }
}

fn is_well_formed(layout: &Layout, bytes: &[u8], depth: usize) -> bool {
    let mut rest = bytes;
    // By place: the tables have none beyond.
    let mut seen = 0_u128;
    while let Some((number, raw)) = wire::next(&mut rest) {
        let Some((place, field)) = layout.field(number) else { continue };
        let fits = match (field.shape, raw) {
            (Shape::One, raw) => {
                let bit = 1_u128 << (place % 128);
                let is_first = seen & bit == 0;
                seen |= bit;
                is_first && fits(field.kind, raw, depth)
            }
            (Shape::Many, Raw::Bytes(mut packed)) if is_packable(field.kind) => {
                while unpacked(field.kind, &mut packed).is_some() {}
                packed.is_empty()
            }
            (Shape::Many, raw) => fits(field.kind, raw, depth),
            (Shape::Map(keys), Raw::Bytes(entry)) => is_entry(keys, field.kind, entry, depth),
            (Shape::Map(_), _) => false,
        };
        if !fits {
            return false;
        }
    }
    rest.is_empty()
}

fn is_entry(keys: Kind, values: Kind, entry: &[u8], depth: usize) -> bool {
    let mut rest = entry;
    while let Some((number, raw)) = wire::next(&mut rest) {
        let fits = match number {
            1 => fits(keys, raw, depth),
            2 => fits(values, raw, depth),
            _ => true,
        };
        if !fits {
            return false;
        }
    }
    rest.is_empty()
}

fn fits(kind: Kind, raw: Raw<'_>, depth: usize) -> bool {
    match (kind, raw) {
        (Kind::Text, Raw::Bytes(text)) => str::from_utf8(text).is_ok(),
        (Kind::Bytes, Raw::Bytes(_)) => true,
        (Kind::Message(index), Raw::Bytes(bytes)) => {
            let layout = LAYOUTS.get(usize::from(index));
            depth > 0 && layout.is_some_and(|layout| is_well_formed(layout, bytes, depth - 1))
        }
        (Kind::Fixed32 | Kind::Sfixed32 | Kind::Float, Raw::Fixed32(_)) => true,
        (Kind::Fixed64 | Kind::Sfixed64 | Kind::Double, Raw::Fixed64(_)) => true,
        (
            Kind::Bool
            | Kind::Int32
            | Kind::Sint32
            | Kind::Uint32
            | Kind::Int64
            | Kind::Sint64
            | Kind::Uint64
            | Kind::Null
            | Kind::Enum(_),
            Raw::Varint(_),
        ) => true,
        _ => false,
    }
}
