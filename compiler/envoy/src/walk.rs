//! Visits every message inside a message, through `Any`s, with the path that leads to it.

use std::fmt;

use prost::{Message, Name};

use crate::schema::{Field, Form, Kind, Layout, OPENED_DEPTH};
use crate::view::{Content, Datum, Key, Part, View, content, datum, layout_of};

/// From the root to a field, an item or an entry. Shown as `clusters[0].metadata["a"]`.
#[derive(Clone, Copy)]
pub(crate) enum Path<'p> {
    Root,
    Name(&'p Path<'p>, &'p str),
    Item(&'p Path<'p>, usize),
    Entry(&'p Path<'p>, Key<'p>),
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Path::Root => Ok(()),
            Path::Name(Path::Root, name) => f.write_str(name),
            Path::Name(outer, name) => write!(f, "{outer}.{name}"),
            Path::Item(outer, at) => write!(f, "{outer}[{at}]"),
            Path::Entry(outer, key) => write!(f, "{outer}[{:?}]", key.to_string()),
        }
    }
}

/// A message on the way, with what is set in it.
pub(crate) struct Visited<'a, 'p> {
    pub(crate) path: &'p Path<'p>,
    pub(crate) view: View<'a>,
    parts: &'p [Part<'a>],
}

impl<'a, 'p> Visited<'a, 'p> {
    /// What is set in the field of this place.
    pub(crate) fn parts_of(&self, place: u8) -> &'p [Part<'a>] {
        let start = self.parts.partition_point(|part| part.place < place);
        let from = self.parts.get(start..).unwrap_or_default();
        let length = from.iter().take_while(|part| part.place == place).count();
        from.get(..length).unwrap_or_default()
    }

    /// The fields that are set, in the order in which the message declares them.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (u8, &'static Field, &'p [Part<'a>])> {
        let layout = self.view.layout;
        self.parts.chunk_by(|one, other| one.place == other.place).filter_map(|parts| {
            let place = parts.first()?.place;
            Some((place, layout.fields.get(usize::from(place))?, parts))
        })
    }
}

/// Calls `visit` with each message, the outer one first. Fields whose place `enters` refuses are passed over.
///
/// False, and nothing is visited, if the message nests deeper than any protobuf reader goes.
#[must_use]
pub(crate) fn walk<M: Name + Message>(
    message: &M,
    enters: &dyn Fn(&Layout, u8) -> bool,
    visit: &mut dyn FnMut(&Visited<'_, '_>),
) -> bool {
    let encoded = message.encode_to_vec();
    let view = View::open(layout_of::<M>(), &encoded);
    if let Some(view) = view {
        Walk { enters, visit, spare: vec![] }.descend(&Path::Root, view, 0);
    }
    view.is_some()
}

/// Calls `visit` with each value of a field, and its own path.
pub(crate) fn for_each<'a>(path: &Path<'_>, content: &Content<'a, '_>, mut visit: impl FnMut(&Path<'_>, Datum<'a>)) {
    match content {
        Content::One(value) => visit(path, *value),
        Content::List(kind, parts) => {
            for (at, part) in parts.iter().enumerate() {
                visit(&Path::Item(path, at), datum(*kind, part.raw));
            }
        }
        Content::Map(kind, entries) => {
            for (key, raw) in entries {
                visit(&Path::Entry(path, *key), datum(*kind, *raw));
            }
        }
    }
}

struct Walk<'a, 'w> {
    enters: &'w dyn Fn(&Layout, u8) -> bool,
    visit: &'w mut dyn FnMut(&Visited<'_, '_>),
    /// Empty lists to use again.
    spare: Vec<Vec<Part<'a>>>,
}

impl<'a> Walk<'a, '_> {
    fn descend(&mut self, path: &Path<'_>, view: View<'a>, depth: usize) {
        let mut parts = self.spare.pop().unwrap_or_default();
        view.parts(&mut parts);
        let visited = Visited { path, view, parts: &parts };
        (self.visit)(&visited);
        if view.layout.form == Form::Any {
            if depth < OPENED_DEPTH
                && let Some(inner) = view.unpacked()
            {
                self.descend(path, inner, depth + 1);
            }
        } else {
            for (place, field, parts) in visited.fields() {
                if matches!(field.kind, Kind::Message(_)) && (self.enters)(view.layout, place) {
                    for_each(&Path::Name(path, field.name), &content(field, parts), |path, value| {
                        if let Datum::Message(inner) = value {
                            self.descend(path, inner, depth + 1);
                        }
                    });
                }
            }
        }
        parts.clear();
        self.spare.push(parts);
    }
}
