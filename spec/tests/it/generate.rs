//! Arbitrary documents: everything that text can say, made of the language's own shape.
//!
//! A document is a JSON value, which is YAML too. It is a function of a row of bytes: each choice takes one, and where
//! they end the smallest choice is taken, so that shorter rows are smaller documents.

use std::collections::BTreeSet;

use meshwright_spec::shape::{self, Block, Field, Occurs, Says, Value as Kind, ValueForm};
use meshwright_spec::{Diagnostics, Mesh, SourceFile, Sources, Syntax, parse};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Map, Value, json};

/// A block's name and the key of one of its fields.
pub(crate) type FieldOf = (&'static str, &'static str);

/// A document, with the bytes it was made of shrinking towards a small one.
pub(crate) fn document() -> impl Strategy<Value = Value> {
    proptest::collection::vec(any::<u8>(), 0..400).prop_map(|bytes| document_of(&bytes))
}

/// A document in which one value was replaced by another, which may make it wrong.
pub(crate) fn changed_document() -> impl Strategy<Value = Value> {
    let other = select(vec![
        json!(null),
        json!([]),
        json!({}),
        json!(""),
        json!("x"),
        json!("a,b"),
        json!("*"),
        json!(true),
        json!(7),
        json!(0.5),
        json!([7]),
        json!(["x"]),
        json!({"x": {}}),
        json!({"name": "x"}),
        json!([[]]),
        json!([null]),
    ]);
    (document(), any::<Index>(), other).prop_map(|(mut document, place, other)| {
        let mut found = Vec::new();
        places(&document, "", &mut found);
        *document.pointer_mut(&found[place.index(found.len())]).expect("a value") = other;
        document
    })
}

/// A mesh without mistakes of its own text; what it refers to need not exist.
pub(crate) fn mesh() -> impl Strategy<Value = Mesh> {
    document().prop_map(|document| {
        let mut sources = Sources::new();
        let file = sources.add(SourceFile::public("mesh.yaml", yaml(&document)));
        parse(file, Syntax::Yaml, &sources, &mut Diagnostics::new()).expect("a mesh")
    })
}

/// The document that these bytes choose.
pub(crate) fn document_of(bytes: &[u8]) -> Value {
    document_with(&[], bytes)
}

/// The document that these bytes choose, with these fields wherever their blocks stand.
pub(crate) fn document_with(wanted: &[FieldOf], bytes: &[u8]) -> Value {
    let mut choices = Choices { bytes, at: 0, wanted };
    let mesh = shape::mesh();
    let mut body = block(mesh, 0, &mut choices);
    let name = mesh.fields.iter().find_map(|field| match (field.occurs, field.says) {
        (Occurs::Name, Says::Value(kind)) => Some((field.key, value(kind, &mut choices))),
        _ => None,
    });
    let (key, name) = name.expect("a mesh has a name");
    if choices.one_in(8) && !body.is_empty() {
        body.insert(key.to_owned(), name);
        return json!({ "mesh": body });
    }
    body.insert("mesh".to_owned(), name);
    Value::Object(body)
}

/// The document as YAML: JSON in which nothing stands that YAML forbids.
pub(crate) fn yaml(document: &Value) -> String {
    let mut output = String::new();
    write(document, &mut output);
    output
}

/// Bytes that depend on the seed alone, for tests that must be the same every time.
pub(crate) fn bytes_of(seed: u64, length: usize) -> Vec<u8> {
    // SplitMix64.
    let byte = |index: usize| {
        let mut mixed = seed.wrapping_mul(1_000_003).wrapping_add(index as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)).to_le_bytes()[0]
    };
    (0..length).map(byte).collect()
}

/// Whether several values of this kind can stand in one text, between commas.
pub(crate) fn takes_commas(kind: &Kind) -> bool {
    match kind.form {
        ValueForm::Integer(..) | ValueForm::NumberOrText(_) | ValueForm::Words(_) => true,
        _ => ["signed", "header-name", "host-name", "host", "egress-host-name", "method", "name", "node-name", "label"]
            .contains(&kind.name),
    }
}

/// Where every value inside a document stands, as JSON pointers.
fn places(value: &Value, here: &str, found: &mut Vec<String>) {
    found.push(here.to_owned());
    match value {
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| places(item, &format!("{here}/{index}"), found));
        }
        Value::Object(fields) => {
            for (key, field) in fields {
                places(field, &format!("{here}/{}", key.replace('~', "~0").replace('/', "~1")), found);
            }
        }
        _ => {}
    }
}

/// What blocks must say as a whole, beyond their shape: these keys, …
fn demanded(block: &Block, choices: &mut Choices<'_>) -> Vec<&'static str> {
    match block.name {
        "fault" => {
            let does = ["abort", "delay", "grpc-abort", "response-rate-limit", "header-control"];
            let wanted = does.into_iter().find(|key| choices.wants(block, key));
            vec![wanted.unwrap_or(*choices.of(&does))]
        }
        "routing-rule" => {
            let conditions = ["header", "method", "cookie", "query", "any", "percent"];
            let wanted = conditions.into_iter().find(|key| choices.wants(block, key));
            vec!["to", wanted.unwrap_or(*choices.of(&conditions))]
        }
        "api-key" => {
            let places = ["header", "query", "cookie"];
            let wanted = places.into_iter().find(|key| choices.wants(block, key));
            vec![wanted.unwrap_or(*choices.of(&places))]
        }
        "fault-control" => {
            let allows = ["max-delay", "abort", "grpc-abort"];
            let wanted = allows.into_iter().find(|key| choices.wants(block, key));
            vec![wanted.unwrap_or(*choices.of(&allows))]
        }
        "gateway" => vec!["listen"],
        "test" => vec!["request", "expect"],
        _ => Vec::new(),
    }
}

/// … and never both of these.
const EXCLUSIVE: [(&str, &str); 2] = [("abort", "grpc-abort"), ("sticky", "visitor-cookie")];

/// Where documents come from: one byte a choice, zeros when they have run out.
struct Choices<'b> {
    bytes: &'b [u8],
    at: usize,
    wanted: &'b [FieldOf],
}

impl Choices<'_> {
    /// 0 up to the bound, which is left out.
    fn below(&mut self, bound: usize) -> usize {
        let byte = self.bytes.get(self.at).copied().unwrap_or(0);
        self.at += 1;
        usize::from(byte) % bound.clamp(1, 256)
    }

    fn one_in(&mut self, bound: usize) -> bool {
        self.below(bound) == bound - 1
    }

    fn of<'i, T>(&mut self, items: &'i [T]) -> &'i T {
        &items[self.below(items.len())]
    }

    fn number(&mut self) -> u64 {
        (0..8).fold(0, |number, _| number << 8 | self.below(256) as u64)
    }

    fn wants(&self, block: &Block, key: &'static str) -> bool {
        self.wanted.contains(&(block.name, key))
    }

    fn is_spent(&self) -> bool {
        self.at >= self.bytes.len()
    }
}

/// What can be said in a block: one of these fields, of which there are several where they exclude each other.
struct Slot {
    fields: Vec<&'static Field>,
    needed: bool,
}

fn slots(block: &'static Block) -> Vec<Slot> {
    let mut slots = Vec::new();
    for field in block.fields {
        match field.says {
            Says::Inline(inner) => slots.extend(self::slots(inner)),
            Says::OneOf(inner) => {
                slots.push(Slot { fields: inner.fields.iter().collect(), needed: field.occurs == Occurs::Required });
            }
            _ if field.occurs == Occurs::Name => {}
            _ => {
                let needed = matches!(field.occurs, Occurs::Main | Occurs::Required);
                slots.push(Slot { fields: vec![field], needed });
            }
        }
    }
    slots
}

/// The fields of a block, without its name.
fn block(block: &'static Block, depth: usize, choices: &mut Choices<'_>) -> Map<String, Value> {
    let slots = slots(block);
    let demanded = demanded(block, choices);
    let wanted: Vec<&str> =
        choices.wanted.iter().filter(|(name, _)| *name == block.name).map(|(_, key)| *key).collect();
    let is_called_for =
        |slot: &Slot| slot.fields.iter().any(|field| demanded.contains(&field.key) || wanted.contains(&field.key));
    let mut said: BTreeSet<usize> =
        (0..slots.len()).filter(|index| slots[*index].needed || is_called_for(&slots[*index])).collect();
    if !choices.is_spent() {
        let most = [6, 6, 5, 4][depth.min(3)];
        for _ in 0..choices.below(most + 1) {
            said.insert(choices.below(slots.len()));
        }
    }
    if block.not_empty && said.is_empty() {
        said.insert(choices.below(slots.len()));
    }
    let mut result = Map::new();
    for index in said {
        let chosen = *choices.of(&slots[index].fields);
        let field = slots[index].fields.iter().find(|field| wanted.contains(&field.key)).copied().unwrap_or(chosen);
        let excludes = |(one, other): &(&str, &str)| field.key == *other && result.contains_key(*one);
        if block.name != "fault-control" && EXCLUSIVE.iter().any(excludes) {
            continue;
        }
        // What is empty says nothing, so that it does where something must be said.
        let may_be_empty = slots[index].fields.len() == 1 && !is_called_for(&slots[index]) && !block.not_empty;
        let value = say(field, may_be_empty, depth + 1, choices);
        result.insert(field.key.to_owned(), value);
    }
    if block.not_empty && choices.one_in(16) {
        let empty = slots.iter().flat_map(|slot| &slot.fields).find(|field| field.occurs == Occurs::Many);
        if let Some(field) = empty.filter(|field| !result.contains_key(field.key)) {
            result.insert(field.key.to_owned(), json!([]));
        }
    }
    result
}

fn say(field: &'static Field, may_be_empty: bool, depth: usize, choices: &mut Choices<'_>) -> Value {
    match (field.says, field.occurs) {
        (Says::Flag, _) => json!(true),
        (Says::Value(kind), _) => value(kind, choices),
        (Says::Values(kind), _) => values(kind, may_be_empty, choices),
        (Says::Entries, _) => entries(may_be_empty, choices),
        (Says::Block(inner), Occurs::Named) => named(inner, may_be_empty, depth, choices),
        (Says::Block(inner), Occurs::Many) => {
            if may_be_empty && choices.one_in(20) {
                return json!([]);
            }
            let mut items: Vec<Value> = (0..=choices.below(3)).map(|_| one(inner, depth, choices)).collect();
            if items.len() == 1 && choices.one_in(2) { items.remove(0) } else { Value::Array(items) }
        }
        (Says::Block(inner), _) => one(inner, depth, choices),
        (Says::Inline(_) | Says::OneOf(_), _) => unreachable!("these are flattened"),
    }
}

/// A block, or its main value alone.
fn one(shape: &'static Block, depth: usize, choices: &mut Choices<'_>) -> Value {
    let body = block(shape, depth, choices);
    let main = shape.fields.iter().find(|field| field.occurs == Occurs::Main);
    match main.and_then(|main| body.get(main.key)) {
        Some(main) if body.len() == 1 && choices.one_in(2) => main.clone(),
        _ => body_or_null(body, choices),
    }
}

fn body_or_null(body: Map<String, Value>, choices: &mut Choices<'_>) -> Value {
    if body.is_empty() && choices.one_in(2) { Value::Null } else { Value::Object(body) }
}

/// Things with names: as a mapping, as a list, as names alone.
fn named(shape: &'static Block, may_be_empty: bool, depth: usize, choices: &mut Choices<'_>) -> Value {
    if may_be_empty && choices.one_in(20) {
        return json!([]);
    }
    let name = shape.fields.iter().find_map(|field| match (field.occurs, field.says) {
        (Occurs::Name, Says::Value(kind)) => Some((field.key, kind)),
        _ => None,
    });
    let (key, kind) = name.expect("named things have a name");
    let names: BTreeSet<String> =
        (0..=choices.below(3)).filter_map(|_| value(kind, choices).as_str().map(str::to_owned)).collect();
    let mut things: Vec<(String, Map<String, Value>)> =
        names.into_iter().map(|name| (name, block(shape, depth, choices))).collect();
    let with_name = |(name, mut body): (String, Map<String, Value>)| {
        body.insert(key.to_owned(), json!(name));
        body
    };
    let bare = things.iter().all(|(_, body)| body.is_empty());
    match (choices.below(4), bare) {
        (0, true) if things.len() == 1 => json!(things[0].0),
        (0 | 1, true) => things.into_iter().map(|(name, _)| json!(name)).collect(),
        (2, _) => things.into_iter().map(|thing| Value::Object(with_name(thing))).collect(),
        (1, false) if things.len() == 1 => Value::Object(with_name(things.remove(0))),
        _ => things.into_iter().map(|(name, body)| (name, body_or_null(body, choices))).collect(),
    }
}

fn values(kind: &'static Kind, may_be_empty: bool, choices: &mut Choices<'_>) -> Value {
    if may_be_empty && choices.one_in(20) {
        return json!([]);
    }
    let mut items: Vec<Value> = (0..=choices.below(3)).map(|_| value(kind, choices)).collect();
    if items.len() == 1 && choices.one_in(2) {
        return items.remove(0);
    }
    if items.len() > 1 && takes_commas(kind) && choices.one_in(3) {
        let texts: Vec<String> = items.iter().map(text_of).collect();
        return json!(texts.join(*choices.of(&[",", ", "])));
    }
    Value::Array(items)
}

fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn entries(may_be_empty: bool, choices: &mut Choices<'_>) -> Value {
    if may_be_empty && choices.one_in(10) {
        return choices.of(&[json!({}), Value::Null]).clone();
    }
    (0..=choices.below(3)).map(|_| (text(choices), any_text(choices))).collect()
}

/// A value of this kind: one of its examples, or where text is free, any text.
fn value(kind: &'static Kind, choices: &mut Choices<'_>) -> Value {
    if choices.one_in(2)
        && let Some(value) = free(kind, choices)
    {
        return value;
    }
    let example = if kind.examples.is_empty() { "" } else { *choices.of(kind.examples) };
    match kind.form {
        ValueForm::Integer(..) | ValueForm::Decimal(..) | ValueForm::Boolean => {
            serde_json::from_str(example).expect("an example is a value")
        }
        ValueForm::NumberOrText(_) => serde_json::from_str(example).unwrap_or_else(|_| json!(example)),
        ValueForm::Words(words) => json!(choices.of(words).0),
        ValueForm::Text(_) | ValueForm::AnyText => json!(example),
    }
}

/// Any value of this kind, if it is known how those look.
fn free(kind: &'static Kind, choices: &mut Choices<'_>) -> Option<Value> {
    Some(match (kind.name, kind.form) {
        (_, ValueForm::Integer(low, high)) => {
            let range = u64::from(high - low) + 1;
            json!(u64::from(low) + choices.number() % range)
        }
        (_, ValueForm::Decimal(low, high)) => {
            let share = u64::from(low) * 10_000 + choices.number() % (u64::from(high - low) * 10_000 + 1);
            let text = format!("{}.{:04}", share / 10_000, share % 10_000);
            match choices.below(3) {
                0 => serde_json::from_str(&text).expect("a number"),
                1 => json!(text),
                _ => json!(format!("{text}%")),
            }
        }
        ("any-text", _) => any_text(choices),
        ("any-text-not-empty", _) => Some(any_text(choices)).filter(|value| value != "")?,
        ("header-text", _) => json!(line(choices)),
        ("prose", _) => json!(text(choices)),
        ("regex", _) => json!(Some(text(choices)).filter(|text| !text.is_empty())?),
        ("text" | "file", _) => json!(Some(line(choices)).filter(|text| !text.is_empty())?),
        ("sidecar-file", _) => json!(format!("/{}", line(choices))),
        ("path", _) => json!(format!("/{}", line(choices).replace([' ', '?', '#'], "_"))),
        ("duration" | "positive-duration", _) => {
            let (unit, most) = *choices.of(&[("ms", 31_536_000_000), ("s", 31_536_000), ("m", 525_600), ("h", 8_760)]);
            json!(format!("{}{unit}", choices.number() % most + 1))
        }
        ("delay-duration", _) => json!(format!("{}ms", choices.number() % 3_600_000 + 1)),
        ("name" | "node-name" | "label" | "header-name" | "callee", _) => json!(*choices.of(WORDS)),
        _ => return None,
    })
}

/// Names that other languages take for something else.
const WORDS: &[&str] =
    &["true", "null", "no", "on", "1", "1e5", "0x1f", "12", "name", "service", "inf", "a", "y", "5xx"];

/// Text, or what is taken for text.
fn any_text(choices: &mut Choices<'_>) -> Value {
    match choices.below(6) {
        0 => choices.of(&[json!(true), json!(false), json!(0), json!(-17), json!(1.5), json!(30000)]).clone(),
        _ => json!(text(choices)),
    }
}

/// Text without control characters.
fn line(choices: &mut Choices<'_>) -> String {
    text(choices).replace(char::is_control, "x")
}

/// What people write, and what breaks quoting. Never `${`: that begins a variable.
fn text(choices: &mut Choices<'_>) -> String {
    if choices.one_in(3) {
        return (*choices.of(NASTY)).to_owned();
    }
    let length = choices.below(7);
    let character = |choices: &mut Choices<'_>| match choices.below(4) {
        0 | 1 => char::from(b' ' + u8::try_from(choices.below(95)).unwrap_or(0)),
        2 => {
            *choices.of(&['"', '\\', '#', '%', '\'', ':', '-', '{', '}', '\n', '\t', ',', '*', '&', '!', '|', '>', '/'])
        }
        _ => char::from_u32(u32::try_from(choices.number() % 0x0011_0000).unwrap_or(0)).unwrap_or('\u{fffd}'),
    };
    let text: String = (0..length).map(|_| character(choices)).collect();
    text.replace("${", "$_")
}

const NASTY: &[&str] = &[
    "a",
    "",
    "true",
    "#true",
    "~",
    "null",
    "no",
    "5",
    "-1",
    "1_000",
    "0o7",
    "1e3",
    ".5",
    "\"",
    "\\",
    "a\nb",
    "\t",
    "- a",
    "a: b",
    "a #b",
    "'",
    "{",
    "}",
    "/-",
    "/*",
    "//",
    "\u{feff}",
    "\u{2028}",
    "\u{7f}",
    "\u{0}",
    "\u{85}",
    "é",
    "\u{10ffff}",
    " a ",
    "\"\"\"",
    "\"#",
    "*",
    "&a",
    "!x",
    "%",
    "%REQ(:path)%",
    "@",
    "`",
    "|",
    ">",
    "?",
    ":",
    "<<",
    "12:30:45",
    "2020-01-01",
    "\r\n",
    "a,b",
    "$",
    "$${a}",
    "\u{1b}[31m",
    "\u{202e}",
    "\u{fffe}",
    "---",
    "...",
    "[a]",
    "= b",
];

fn write(value: &Value, output: &mut String) {
    match value {
        Value::Null => output.push_str("null"),
        Value::Bool(said) => output.push_str(&said.to_string()),
        Value::Number(number) => output.push_str(&number.to_string()),
        Value::String(text) => quote(text, output),
        Value::Array(items) => {
            output.push('[');
            for (index, item) in items.iter().enumerate() {
                output.push_str(if index == 0 { "" } else { ", " });
                write(item, output);
            }
            output.push(']');
        }
        Value::Object(entries) => {
            output.push('{');
            for (index, (key, item)) in entries.iter().enumerate() {
                output.push_str(if index == 0 { "" } else { ", " });
                quote(key, output);
                output.push_str(": ");
                write(item, output);
            }
            output.push('}');
        }
    }
}

fn quote(text: &str, output: &mut String) {
    output.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => output.extend(['\\', character]),
            ' '..='~' => output.push(character),
            _ => match u32::from(character) {
                code @ 0..=0xffff => output.push_str(&format!("\\u{code:04x}")),
                code => output.push_str(&format!("\\U{code:08x}")),
            },
        }
    }
    output.push('"');
}
