//! Reads the validation rules out of the options that the descriptors carry.

use prost_reflect::{DynamicMessage, EnumDescriptor, FieldDescriptor, Kind, OneofDescriptor, Value};
use regex::Regex;

use super::check::Number;
use crate::schema::{Layout, POOL};

/// The rules of one message, with the places of their fields, in declaration order.
#[derive(Debug, Default)]
pub(crate) struct MessageRules {
    pub(crate) fields: Vec<(u8, Rules)>,
    pub(crate) required_oneofs: Vec<RequiredOneof>,
}

#[derive(Debug)]
pub(crate) struct RequiredOneof {
    pub(crate) name: String,
    /// Of its fields.
    pub(crate) places: Vec<u8>,
    /// What to say when none is set.
    pub(crate) message: String,
}

/// The rules of one field, item, key or value.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    pub(crate) required: bool,
    /// Nothing inside the field is checked.
    pub(crate) skipped: bool,
    pub(crate) ignores_empty: bool,
    pub(crate) checks: Vec<Check>,
    /// Names of rules that this file does not know. Always empty for the embedded set.
    pub(crate) unknown: Vec<String>,
}

#[derive(Debug)]
pub(crate) struct Check {
    /// As in the descriptors, with its kind: `string.min_len`.
    pub(crate) rule: String,
    pub(crate) test: Test,
}

#[derive(Debug)]
pub(crate) enum Test {
    Less(Number),
    AtMost(Number),
    Greater(Number),
    AtLeast(Number),
    Constant(Value),
    In(Vec<(Value, String)>),
    NotIn(Vec<(Value, String)>),
    Defined(EnumDescriptor),
    MinLength(u64),
    MaxLength(u64),
    MinBytes(u64),
    MaxBytes(u64),
    Prefix(String),
    Suffix(String),
    Pattern(Regex),
    MinItems(u64),
    MaxItems(u64),
    Unique,
    Items(Rules),
    Keys(Rules),
    Values(Rules),
}

const HEADER_NAME: &str = r"^:?[0-9a-zA-Z!#$%&'*+-.^_|~\x60]+$";
const HEADER_VALUE: &str = r"^[^\x00-\x08\x0A-\x1F\x7F]*$";
const LENIENT_HEADER: &str = r"^[^\x00\x0A\x0D]*$";

/// The rules of one message: none, if its descriptor states none.
pub(crate) fn of_layout(layout: &Layout) -> MessageRules {
    let Some(message) = POOL.get_message_by_name(layout.name) else { return MessageRules::default() };
    let declared = message.descriptor_proto().field.iter().filter(|field| field.options.is_some());
    let fields = declared.filter_map(|field| message.get_field(field.number().cast_unsigned()));
    let required = message.oneofs().filter(|oneof| {
        extension(&oneof.options(), "validate.required").and_then(|value| value.as_bool()) == Some(true)
    });
    MessageRules {
        fields: fields.filter_map(|field| Some((layout.field(field.number())?.0, of_field(&field)?))).collect(),
        required_oneofs: required.map(|oneof| of_oneof(layout, &oneof)).collect(),
    }
}

impl MessageRules {
    pub(crate) fn skips(&self, place: u8) -> bool {
        self.fields.iter().any(|(ruled, rules)| rules.skipped && *ruled == place)
    }
}

fn of_oneof(layout: &Layout, oneof: &OneofDescriptor) -> RequiredOneof {
    let choices: Vec<String> = oneof.fields().map(|field| format!("`{}`", field.name())).collect();
    RequiredOneof {
        name: oneof.name().to_owned(),
        places: oneof.fields().filter_map(|field| Some(layout.field(field.number())?.0)).collect(),
        message: format!("one of {} must be set", choices.join(", ")),
    }
}

fn of_field(field: &FieldDescriptor) -> Option<Rules> {
    match extension(&field.options(), "validate.rules")? {
        Value::Message(options) => {
            let mut rules = of_options(&options, &field.kind());
            // "Required" asks nothing of a choice that was not made.
            rules.required &= field.containing_oneof().is_none_or(|oneof| oneof.is_synthetic());
            Some(rules)
        }
        _ => None,
    }
}

fn extension(options: &DynamicMessage, name: &str) -> Option<Value> {
    let extension = POOL.get_extension_by_name(name)?;
    options.has_extension(&extension).then(|| options.get_extension(&extension).into_owned())
}

/// `FieldRules`: at most one kind of rules, and those of messages.
fn of_options(options: &DynamicMessage, kind: &Kind) -> Rules {
    let mut rules = Rules::default();
    for (group, value) in options.fields() {
        let Some(of_kind) = value.as_message() else { continue };
        for (rule, value) in of_kind.fields() {
            add(&mut rules, group.name(), rule.name(), value, of_kind, kind);
        }
    }
    rules
}

fn add(rules: &mut Rules, group: &str, rule: &str, value: &Value, of_kind: &DynamicMessage, kind: &Kind) {
    match (rule, value) {
        ("required", Value::Bool(required)) => rules.required |= *required,
        ("skip", Value::Bool(skip)) => rules.skipped |= *skip,
        ("ignore_empty", Value::Bool(ignore)) => rules.ignores_empty |= *ignore,
        // A modifier of `well_known_regex`, read there.
        ("strict", _) => {}
        _ => match test(rule, value, of_kind, kind) {
            Some(test) => rules.checks.push(Check { rule: format!("{group}.{rule}"), test }),
            None => rules.unknown.push(format!("{group}.{rule}")),
        },
    }
}

fn test(rule: &str, value: &Value, of_kind: &DynamicMessage, kind: &Kind) -> Option<Test> {
    let test = match (rule, value) {
        ("lt", value) => Test::Less(Number::of_rule(value)?),
        ("lte", value) => Test::AtMost(Number::of_rule(value)?),
        ("gt", value) => Test::Greater(Number::of_rule(value)?),
        ("gte", value) => Test::AtLeast(Number::of_rule(value)?),
        ("const", value) => Test::Constant(value.clone()),
        ("in", Value::List(values)) => Test::In(named(values, kind)),
        ("not_in", Value::List(values)) => Test::NotIn(named(values, kind)),
        ("defined_only", Value::Bool(true)) => Test::Defined(kind.as_enum()?.clone()),
        ("min_len", Value::U64(length)) => Test::MinLength(*length),
        ("max_len", Value::U64(length)) => Test::MaxLength(*length),
        ("min_bytes", Value::U64(length)) => Test::MinBytes(*length),
        ("max_bytes", Value::U64(length)) => Test::MaxBytes(*length),
        ("prefix", Value::String(text)) => Test::Prefix(text.clone()),
        ("suffix", Value::String(text)) => Test::Suffix(text.clone()),
        ("pattern", Value::String(pattern)) => Test::Pattern(Regex::new(pattern).ok()?),
        ("well_known_regex", Value::EnumNumber(which)) => Test::Pattern(well_known(*which, of_kind)?),
        ("min_items" | "min_pairs", Value::U64(count)) => Test::MinItems(*count),
        ("max_items" | "max_pairs", Value::U64(count)) => Test::MaxItems(*count),
        ("unique", Value::Bool(true)) => Test::Unique,
        ("items", Value::Message(options)) => Test::Items(known(of_options(options, kind))?),
        ("keys", Value::Message(options)) => Test::Keys(known(of_options(options, &entry_key(kind)?))?),
        ("values", Value::Message(options)) => Test::Values(known(of_options(options, &entry_value(kind)?))?),
        _ => return None,
    };
    Some(test)
}

/// Each value with what a user calls it. Rules write enum values as plain numbers.
fn named(values: &[Value], kind: &Kind) -> Vec<(Value, String)> {
    let named = |value: &Value| match (value, kind) {
        (Value::I32(number), Kind::Enum(descriptor)) => {
            let name = descriptor.get_value(*number).map(|value| value.name().to_owned());
            (Value::EnumNumber(*number), name.unwrap_or_else(|| number.to_string()))
        }
        (Value::String(text), _) => (value.clone(), text.clone()),
        (other, _) => (other.clone(), other.to_string()),
    };
    values.iter().map(named).collect()
}

fn known(rules: Rules) -> Option<Rules> {
    rules.unknown.is_empty().then_some(rules)
}

fn entry_key(kind: &Kind) -> Option<Kind> {
    Some(kind.as_message()?.map_entry_key_field().kind())
}

fn entry_value(kind: &Kind) -> Option<Kind> {
    Some(kind.as_message()?.map_entry_value_field().kind())
}

/// `KnownRegex`: 1 is a header's name, 2 a header's value. Strict unless said otherwise.
fn well_known(which: i32, of_kind: &DynamicMessage) -> Option<Regex> {
    let strict = of_kind.get_field_by_name("strict").and_then(|value| value.as_bool()).unwrap_or(true);
    let pattern = match (which, strict) {
        (1, true) => HEADER_NAME,
        (2, true) => HEADER_VALUE,
        (1 | 2, false) => LENIENT_HEADER,
        _ => return None,
    };
    Regex::new(pattern).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::LAYOUTS;

    #[test]
    fn every_rule_in_the_descriptors_is_understood() {
        let rules: Vec<_> = LAYOUTS.iter().map(|layout| (layout, of_layout(layout))).collect();
        let fields = rules.iter().flat_map(|(layout, rules)| rules.fields.iter().map(move |field| (layout, field)));
        let unknown: Vec<_> = fields
            .filter(|(_, (_, rules))| !rules.unknown.is_empty())
            .map(|(layout, (place, rules))| {
                format!("{}.{}: {}", layout.name, layout.fields[usize::from(*place)].name, rules.unknown.join(", "))
            })
            .collect();
        assert_eq!(unknown, Vec::<String>::new());
        let checked: usize = rules.iter().map(|(_, rules)| rules.fields.len()).sum();
        assert!(checked > 600, "the options were not read: only {checked} fields have rules");
    }
}
