//! Writes what `src/schema.rs` asks about messages as Rust constants: nothing is left to read when a program starts.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write;

use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorSet};

/// The place of a number that no field has.
const NO_FIELD: u8 = u8::MAX;

/// A message or an enum, and whether its file is of `proto3`.
struct Declared<'a> {
    messages: BTreeMap<(usize, String), (&'a DescriptorProto, bool)>,
    enums: BTreeMap<String, &'a EnumDescriptorProto>,
}

/// The constants `LAYOUTS` and `ENUMS`. Messages come by the length of their names, then by their names.
pub(crate) fn of(files: &FileDescriptorSet) -> Result<String, Box<dyn Error>> {
    let mut declared = Declared { messages: BTreeMap::new(), enums: BTreeMap::new() };
    for file in &files.file {
        for message in &file.message_type {
            declared.add(file.package(), message, file.syntax() == "proto3");
        }
        for descriptor in &file.enum_type {
            declared.enums.insert(join(file.package(), descriptor.name()), descriptor);
        }
    }
    let mut text = format!("pub(crate) static LAYOUTS: [Layout; {}] = [\n", declared.messages.len());
    for (index, ((_, name), (message, is_proto3))) in declared.messages.iter().enumerate() {
        writeln!(text, "Layout {{ index: {index}, name: {name:?}, form: Form::{}, fields: &[", form(name))?;
        for field in &message.field {
            writeln!(text, "    {},", declared.field(field, *is_proto3)?)?;
        }
        writeln!(text, "], places: &{:?} }},", places(name, message)?)?;
    }
    writeln!(text, "];\npub(crate) static ENUMS: [&[(i32, &str)]; {}] = [", declared.enums.len())?;
    for descriptor in declared.enums.values() {
        writeln!(text, "&{:?},", values(descriptor))?;
    }
    text.push_str("];\n");
    Ok(text)
}

impl<'a> Declared<'a> {
    fn add(&mut self, scope: &str, message: &'a DescriptorProto, is_proto3: bool) {
        let name = join(scope, message.name());
        for inner in &message.nested_type {
            self.add(&name, inner, is_proto3);
        }
        for descriptor in &message.enum_type {
            self.enums.insert(join(&name, descriptor.name()), descriptor);
        }
        self.messages.insert((name.len(), name), (message, is_proto3));
    }

    fn field(&self, field: &FieldDescriptorProto, is_proto3: bool) -> Result<String, Box<dyn Error>> {
        let repeated = field.label() == Label::Repeated;
        let presence = !repeated && (field.r#type() == Type::Message || field.oneof_index.is_some() || !is_proto3);
        let (kind, shape) = match self.entry(field) {
            Some([key, value]) => (self.kind(value)?, format!("Map({})", self.kind(key)?)),
            None => (self.kind(field)?, if repeated { "Many" } else { "One" }.to_owned()),
        };
        Ok(format!("Field {{ name: {:?}, kind: {kind}, shape: Shape::{shape}, presence: {presence} }}", field.name(),))
    }

    /// The key and the value of a map.
    fn entry(&self, field: &FieldDescriptorProto) -> Option<[&'a FieldDescriptorProto; 2]> {
        let name = field.type_name().trim_start_matches('.');
        let (message, _) = self.messages.get(&(name.len(), name.to_owned()))?;
        let is_entry = message.options.as_ref().is_some_and(|options| options.map_entry());
        if is_entry { Some([message.field.first()?, message.field.get(1)?]) } else { None }
    }

    fn kind(&self, field: &FieldDescriptorProto) -> Result<String, Box<dyn Error>> {
        let name = field.type_name().trim_start_matches('.');
        let place = |found: Option<usize>| found.ok_or_else(|| format!("`{name}` is not in the set"));
        Ok(match field.r#type() {
            Type::Message => {
                let index = place(self.messages.keys().position(|(_, known)| known == name))?;
                format!("Kind::Message({index})")
            }
            Type::Enum if name == "google.protobuf.NullValue" => "Kind::Null".to_owned(),
            Type::Enum => format!("Kind::Enum({})", place(self.enums.keys().position(|known| known == name))?),
            Type::String => "Kind::Text".to_owned(),
            Type::Group => return Err(format!("`{}` is a group", field.name()).into()),
            scalar => format!("Kind::{scalar:?}"),
        })
    }
}

fn join(scope: &str, name: &str) -> String {
    if scope.is_empty() { name.to_owned() } else { format!("{scope}.{name}") }
}

fn form(name: &str) -> &'static str {
    match name.strip_prefix("google.protobuf.") {
        Some("Any") => "Any",
        Some("Duration") => "Duration",
        Some("Timestamp") => "Timestamp",
        Some("Struct" | "ListValue") => "Container",
        Some("Value") => "Value",
        Some(
            "DoubleValue" | "FloatValue" | "Int64Value" | "UInt64Value" | "Int32Value" | "UInt32Value" | "BoolValue"
            | "StringValue" | "BytesValue",
        ) => "Wrapper",
        _ => "Plain",
    }
}

/// By number, where in the declaration the field is.
fn places(name: &str, message: &DescriptorProto) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut places = vec![];
    for (place, field) in message.field.iter().enumerate() {
        let number = usize::try_from(field.number())?;
        // What readers of the tables count on, and a table no larger than it is worth.
        if place >= 128 || number > 4000 {
            return Err(format!("the table of `{name}` would be too large").into());
        }
        places.resize(places.len().max(number + 1), NO_FIELD);
        places[number] = u8::try_from(place)?;
    }
    Ok(places)
}

/// By number; of two names for one number, the first.
fn values(descriptor: &EnumDescriptorProto) -> Vec<(i32, &str)> {
    let mut values: Vec<_> = descriptor.value.iter().map(|value| (value.number(), value.name())).collect();
    values.sort_by_key(|(number, _)| *number);
    values.dedup_by_key(|(number, _)| *number);
    values
}
