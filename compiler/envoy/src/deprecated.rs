//! Finds what a message uses although Envoy marks it deprecated.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use prost::{Message, Name};
use prost_reflect::{DynamicMessage, FieldDescriptor, ReflectMessage, Value};

use crate::schema::{self, POOL};
use crate::walk::{elements, join, walk};

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
    if let Some(root) = schema::dynamic(message) {
        walk(&root, &|_| true, &mut |path, message| deprecated_in(path, message, &mut found));
    }
    found
}

static FIELDS: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    let fields = POOL.all_messages().flat_map(|message| message.fields().collect::<Vec<_>>());
    let marked = fields
        .filter(|field| field.field_descriptor_proto().options.is_some() && is_marked(&field.options(), &FIELD_MARKS));
    marked.map(|field| field.full_name().to_owned()).collect()
});

/// By enum, the numbers and names of its deprecated values.
static VALUES: LazyLock<BTreeMap<String, BTreeMap<i32, String>>> = LazyLock::new(|| {
    let mut values: BTreeMap<String, BTreeMap<i32, String>> = BTreeMap::new();
    for descriptor in POOL.all_enums() {
        for value in descriptor.values().filter(|value| is_marked(&value.options(), &VALUE_MARKS)) {
            let of_enum = values.entry(descriptor.full_name().to_owned()).or_default();
            of_enum.insert(value.number(), value.name().to_owned());
        }
    }
    values
});

/// By message, the fields that mean a deprecated value when nothing is written.
static DEFAULTS: LazyLock<BTreeMap<String, Vec<FieldDescriptor>>> = LazyLock::new(|| {
    let by_default =
        |field: &FieldDescriptor| !field.is_list() && !field.supports_presence() && default(field).is_some();
    let messages = POOL
        .all_messages()
        .map(|message| (message.full_name().to_owned(), message.fields().filter(by_default).collect::<Vec<_>>()));
    messages.filter(|(_, fields)| !fields.is_empty()).collect()
});

fn default(field: &FieldDescriptor) -> Option<&'static str> {
    Some(VALUES.get(field.kind().as_enum()?.full_name())?.get(&0)?)
}

fn is_marked(options: &DynamicMessage, marks: &[&str]) -> bool {
    let deprecated = options.get_field_by_name("deprecated").and_then(|value| value.as_bool()) == Some(true);
    let has = |mark: &&str| POOL.get_extension_by_name(mark).is_some_and(|mark| options.has_extension(&mark));
    deprecated || marks.iter().any(has)
}

fn deprecated_in(path: &str, message: &DynamicMessage, found: &mut Vec<String>) {
    for (field, value) in schema::set_fields(message) {
        let path = join(path, field.name());
        if FIELDS.contains(field.full_name()) {
            found.push(path.clone());
        }
        let kind = field.kind();
        let Some(names) = kind.as_enum().and_then(|descriptor| VALUES.get(descriptor.full_name())) else { continue };
        for (path, element) in elements(&path, value) {
            if let Value::EnumNumber(number) = element
                && let Some(name) = names.get(number)
            {
                found.push(format!("{path} = {name}"));
            }
        }
    }
    let defaults = DEFAULTS.get(message.descriptor().full_name()).into_iter().flatten();
    for field in defaults.filter(|field| !message.has_field(field)) {
        if let Some(name) = default(field) {
            found.push(format!("{} = {name}", join(path, field.name())));
        }
    }
}
