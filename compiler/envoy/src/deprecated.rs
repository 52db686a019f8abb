//! Finds what a message uses although Envoy marks it deprecated.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use prost::{Message, Name};
use prost_reflect::{DynamicMessage, FieldDescriptor, MessageDescriptor};

use crate::schema::{LAYOUTS, Layout, POOL};
use crate::view::{Datum, content};
use crate::walk::{Path, Visited, for_each, walk};

/// The annotations with which Envoy dates a deprecation or makes it an error.
const FIELD_MARKS: [&str; 2] =
    ["envoy.annotations.deprecated_at_minor_version", "envoy.annotations.disallowed_by_default"];
const VALUE_MARKS: [&str; 2] =
    ["envoy.annotations.deprecated_at_minor_version_enum", "envoy.annotations.disallowed_by_default_enum"];

/// Paths of the deprecated fields that are set, and of deprecated enum values as `path = VALUE`.
///
/// An enum that was left at a deprecated default counts too, as it does for Envoy.
pub fn deprecated<M: Name + Message>(message: &M) -> Vec<String> {
    let mut found = vec![];
    // In a message too deep to be walked nothing is found, as nobody could read it.
    let _ = walk(message, &|_, _| true, &mut |visited| deprecated_in(visited, &mut found));
    found
}

/// What is marked in one message, by the places of its fields.
#[derive(Debug, Default)]
struct Marks {
    fields: Vec<u8>,
    /// The names of deprecated values by their numbers.
    values: BTreeMap<u8, BTreeMap<i32, String>>,
    /// The fields that mean a deprecated value when nothing is written, and its name.
    defaults: Vec<(u8, String)>,
}

/// By the index of the message.
static MARKS: LazyLock<Vec<Marks>> = LazyLock::new(|| {
    let marked = |layout: &Layout| POOL.get_message_by_name(layout.name).map(|message| marks(layout, &message));
    LAYOUTS.iter().map(|layout| marked(layout).unwrap_or_default()).collect()
});

fn marks(layout: &Layout, message: &MessageDescriptor) -> Marks {
    let mut marks = Marks::default();
    for field in message.fields() {
        let Some((place, _)) = layout.field(field.number()) else { continue };
        if field.field_descriptor_proto().options.is_some() && is_marked(&field.options(), &FIELD_MARKS) {
            marks.fields.push(place);
        }
        let values = deprecated_values(&field);
        if let Some(name) = values.get(&0)
            && !field.is_list()
            && !field.supports_presence()
        {
            marks.defaults.push((place, name.clone()));
        }
        if !values.is_empty() {
            marks.values.insert(place, values);
        }
    }
    marks
}

fn deprecated_values(field: &FieldDescriptor) -> BTreeMap<i32, String> {
    let kind = field.kind();
    let values = kind.as_enum().into_iter().flat_map(|descriptor| descriptor.values());
    let marked = values.filter(|value| is_marked(&value.options(), &VALUE_MARKS));
    marked.map(|value| (value.number(), value.name().to_owned())).collect()
}

fn is_marked(options: &DynamicMessage, marks: &[&str]) -> bool {
    let deprecated = options.get_field_by_name("deprecated").and_then(|value| value.as_bool()) == Some(true);
    let has = |mark: &&str| POOL.get_extension_by_name(mark).is_some_and(|mark| options.has_extension(&mark));
    deprecated || marks.iter().any(has)
}

fn deprecated_in(visited: &Visited<'_, '_>, found: &mut Vec<String>) {
    let Some(marks) = MARKS.get(usize::from(visited.view.layout.index)) else { return };
    if marks.fields.is_empty() && marks.values.is_empty() {
        return;
    }
    for (place, field, parts) in visited.fields() {
        let path = Path::Name(visited.path, field.name);
        if marks.fields.contains(&place) {
            found.push(path.to_string());
        }
        let Some(names) = marks.values.get(&place) else { continue };
        for_each(&path, &content(field, parts), |path, value| {
            if let Datum::Enum(_, number) = value
                && let Some(name) = names.get(&number)
            {
                found.push(format!("{path} = {name}"));
            }
        });
    }
    for (place, name) in &marks.defaults {
        if visited.parts_of(*place).is_empty()
            && let Some(field) = visited.view.layout.fields.get(usize::from(*place))
        {
            found.push(format!("{} = {name}", Path::Name(visited.path, field.name)));
        }
    }
}
