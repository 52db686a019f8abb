//! What messages consist of: tables generated from Envoy's descriptors, and the descriptors themselves.

use std::sync::LazyLock;

use prost_reflect::DescriptorPool;

/// Below this many messages an `Any` stays closed: no reader goes deeper, and the stack is finite.
pub(crate) const OPENED_DEPTH: usize = 100;

/// One message.
#[derive(Debug)]
pub(crate) struct Layout {
    /// Its place among all: what is known of messages beside their layout is kept by it.
    pub(crate) index: u16,
    /// With its package.
    pub(crate) name: &'static str,
    pub(crate) form: Form,
    /// In the order in which Envoy declares them.
    pub(crate) fields: &'static [Field],
    /// By number, the field's place among `fields`, or a place beyond them.
    places: &'static [u8],
}

/// How JSON writes a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// As an object of its fields. All others are the well-known types of protobuf.
    Plain,
    Any,
    Duration,
    Timestamp,
    /// A `Struct` or `ListValue`: as what it holds.
    Container,
    Value,
    /// A `BoolValue` and its kin: as the bare value.
    Wrapper,
}

#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    /// Of each value, if there are several.
    pub(crate) kind: Kind,
    pub(crate) shape: Shape,
    /// Whether a zero that is written differs from nothing. Never of a field of several values.
    pub(crate) presence: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    One,
    Many,
    /// With the kind of its keys.
    Map(Kind),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Bool,
    Int32,
    Sint32,
    Uint32,
    Fixed32,
    Sfixed32,
    Int64,
    Sint64,
    Uint64,
    Fixed64,
    Sfixed64,
    Float,
    Double,
    Text,
    Bytes,
    /// The enum whose one value means `null`.
    Null,
    /// An index of `ENUMS`.
    Enum(u16),
    /// An index of `LAYOUTS`.
    Message(u16),
}

// `LAYOUTS`, every message by the length of its name and then by its name, and `ENUMS`, the values of each by number.
include!(concat!(env!("OUT_DIR"), "/tables.rs"));

/// The descriptors with their options, as Envoy carries them.
pub(crate) static POOL: LazyLock<DescriptorPool> = LazyLock::new(|| {
    let bytes = include_bytes!("../descriptors/envoy-1.40.fds");
    DescriptorPool::decode(bytes.as_slice()).expect("the embedded descriptor set is complete")
});

impl Layout {
    /// The field of this number, with its place.
    #[inline]
    pub(crate) fn field(&self, number: u32) -> Option<(u8, &'static Field)> {
        let place = *self.places.get(usize::try_from(number).ok()?)?;
        Some((place, self.fields.get(usize::from(place))?))
    }
}

/// The message of this full name.
pub(crate) fn find(name: &str) -> Option<&'static Layout> {
    let key = (name.len(), name);
    let place = LAYOUTS.binary_search_by(|layout| (layout.name.len(), layout.name).cmp(&key)).ok()?;
    LAYOUTS.get(place)
}

/// The message that a type URL names.
pub(crate) fn of_url(url: &str) -> Option<&'static Layout> {
    find(url.rsplit('/').next()?)
}

/// The name of an enum's value.
pub(crate) fn value_name(index: u16, number: i32) -> Option<&'static str> {
    let values = *ENUMS.get(usize::from(index))?;
    let place = values.binary_search_by_key(&number, |(number, _)| *number).ok()?;
    values.get(place).map(|(_, name)| *name)
}
