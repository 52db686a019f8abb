//! JSON whose keys keep their order and whose values know their place, so that what is added to a file is all that changes.

use std::fmt::Write as _;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use spec::{Diagnostic, FileId, Span, codes};

/// ECS takes 64 KB; what is described of it has more.
const MAX_BYTES: usize = 1 << 20;
const MAX_DEPTH: usize = 64;

/// A value, and where it stands; what was added stands where it was asked for.
#[derive(Clone, Debug)]
pub(super) struct Json {
    pub(super) data: Data,
    pub(super) span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Data {
    Null,
    Bool(bool),
    /// As it is written.
    Number(String),
    Text(String),
    List(Vec<Json>),
    /// No key twice.
    Map(Vec<(String, Json)>),
}

/// The place is no part of the meaning.
impl PartialEq for Json {
    fn eq(&self, other: &Self) -> bool {
        self.data == other.data
    }
}

/// Reads a whole text.
pub(super) fn parse(text: &str, file: FileId) -> Result<Json, Box<Diagnostic>> {
    let reader = Reader { text, file };
    if text.len() > MAX_BYTES {
        return Err(reader.mistake(0, format!("the file has {} bytes; at most {MAX_BYTES} are read", text.len())));
    }
    let raw: &RawValue = serde_json::from_str(text).map_err(|error| {
        let at = crate::observation::text::offset(text, error.line(), error.column());
        // What the library says may hold what the file holds: it is not repeated.
        reader.mistake(at, "this is no JSON".to_owned())
    })?;
    reader.value(raw.get(), 0)
}

struct Reader<'t> {
    text: &'t str,
    file: FileId,
}

impl Reader<'_> {
    fn value(&self, raw: &str, depth: usize) -> Result<Json, Box<Diagnostic>> {
        // A part of the text: it was borrowed from there.
        let start = raw.as_ptr().addr().saturating_sub(self.text.as_ptr().addr());
        if depth > MAX_DEPTH {
            return Err(self.mistake(start, format!("more than {MAX_DEPTH} values are inside each other")));
        }
        let unreadable = |_| self.mistake(start, "this is no JSON".to_owned());
        let data = match raw.as_bytes().first() {
            Some(b'{') => {
                let Pairs(pairs) = serde_json::from_str(raw).map_err(unreadable)?;
                let mut map: Vec<(String, Json)> = Vec::with_capacity(pairs.len());
                let mut known = std::collections::BTreeSet::new();
                for (key, raw) in pairs {
                    let value = self.value(raw.get(), depth + 1)?;
                    if !known.insert(key.clone()) {
                        let message = format!("`{}` is said twice", spec::diagnostic::quote(&key));
                        return Err(Box::new(Diagnostic::error(codes::DUPLICATE_FIELD, value.span, message)));
                    }
                    map.push((key, value));
                }
                Data::Map(map)
            }
            Some(b'[') => {
                let list: Vec<&RawValue> = serde_json::from_str(raw).map_err(unreadable)?;
                Data::List(list.into_iter().map(|raw| self.value(raw.get(), depth + 1)).collect::<Result<_, _>>()?)
            }
            Some(b'"') => Data::Text(serde_json::from_str(raw).map_err(unreadable)?),
            Some(b't') => Data::Bool(true),
            Some(b'f') => Data::Bool(false),
            Some(b'n') => Data::Null,
            _ => Data::Number(raw.to_owned()),
        };
        Ok(Json { data, span: Span::new(self.file, start, start + raw.len()) })
    }

    fn mistake(&self, at: usize, message: String) -> Box<Diagnostic> {
        Box::new(Diagnostic::error(codes::UNREADABLE_TASK_DEFINITION, Span::new(self.file, at, at), message))
    }
}

/// The pairs of an object in their order.
struct Pairs<'t>(Vec<(String, &'t RawValue)>);

impl<'de: 't, 't> Deserialize<'de> for Pairs<'t> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Pairs<'de>;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = access.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

impl Json {
    pub(super) fn text(text: impl Into<String>, span: Span) -> Self {
        Self { data: Data::Text(text.into()), span }
    }

    pub(super) fn number(number: impl ToString, span: Span) -> Self {
        Self { data: Data::Number(number.to_string()), span }
    }

    pub(super) fn bool(value: bool, span: Span) -> Self {
        Self { data: Data::Bool(value), span }
    }

    pub(super) fn list(list: Vec<Self>, span: Span) -> Self {
        Self { data: Data::List(list), span }
    }

    pub(super) fn map<const N: usize>(pairs: [(&str, Self); N], span: Span) -> Self {
        Self { data: Data::Map(pairs.map(|(key, value)| (key.to_owned(), value)).into()), span }
    }

    /// The value of a key; `null` is none.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        let (_, value) = self.pairs().iter().find(|(known, _)| known == key)?;
        (value.data != Data::Null).then_some(value)
    }

    pub(super) fn get_mut(&mut self, key: &str) -> Option<&mut Self> {
        let Data::Map(pairs) = &mut self.data else { return None };
        pairs.iter_mut().find(|(known, _)| known == key).map(|(_, value)| value)
    }

    /// The list of a key, made where there is none.
    pub(super) fn list_mut(&mut self, key: &str) -> Option<&mut Vec<Self>> {
        if self.get(key).is_none() {
            self.set(key, Self::list(Vec::new(), self.span));
        }
        match &mut self.get_mut(key)?.data {
            Data::List(list) => Some(list),
            _ => None,
        }
    }

    /// Gives a key a value where it stands, or at the end. What is not an object stays.
    pub(super) fn set(&mut self, key: &str, value: Self) {
        let Data::Map(pairs) = &mut self.data else { return };
        match pairs.iter_mut().find(|(known, _)| known == key) {
            Some((_, old)) => *old = value,
            None => pairs.push((key.to_owned(), value)),
        }
    }

    /// Gives a key a value unless it has one.
    pub(super) fn set_unless_said(&mut self, key: &str, value: Self) {
        if self.get(key).is_none() {
            self.set(key, value);
        }
    }

    pub(super) fn remove(&mut self, key: &str) -> Option<Self> {
        let Data::Map(pairs) = &mut self.data else { return None };
        let at = pairs.iter().position(|(known, _)| known == key)?;
        Some(pairs.remove(at).1)
    }

    pub(super) fn pairs(&self) -> &[(String, Self)] {
        match &self.data {
            Data::Map(pairs) => pairs,
            _ => &[],
        }
    }

    pub(super) fn items(&self) -> &[Self] {
        match &self.data {
            Data::List(list) => list,
            _ => &[],
        }
    }

    /// The list of a key; empty where there is none.
    pub(super) fn list_of(&self, key: &str) -> &[Self] {
        self.get(key).map_or(&[], Self::items)
    }

    pub(super) fn as_text(&self) -> Option<&str> {
        match &self.data {
            Data::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn text_of(&self, key: &str) -> Option<&str> {
        self.get(key)?.as_text()
    }

    /// A whole number, or a text that is one: CloudFormation has both.
    pub(super) fn as_number(&self) -> Option<u64> {
        match &self.data {
            Data::Number(text) | Data::Text(text) => text.parse().ok(),
            _ => None,
        }
    }

    pub(super) fn number_of(&self, key: &str) -> Option<u64> {
        self.get(key)?.as_number()
    }

    pub(super) fn bool_of(&self, key: &str) -> Option<bool> {
        match &self.get(key)?.data {
            Data::Bool(value) => Some(*value),
            Data::Text(text) => text.parse().ok(),
            _ => None,
        }
    }

    /// Where a key's value stands, else the whole.
    pub(super) fn span_of(&self, key: &str) -> Span {
        self.get(key).map_or(self.span, |value| value.span)
    }

    /// Two spaces a level, as the AWS command prints it but for its four.
    pub(super) fn print(&self) -> String {
        let mut text = String::new();
        self.write(0, &mut text);
        text.push('\n');
        text
    }

    /// On one line without spaces, as ECS keeps it.
    pub(super) fn size(&self) -> usize {
        match &self.data {
            Data::Null => 4,
            Data::Bool(value) => {
                if *value {
                    4
                } else {
                    5
                }
            }
            Data::Number(text) => text.len(),
            Data::Text(text) => quoted(text).len(),
            Data::List(list) => 1 + list.len().max(1) + list.iter().map(Self::size).sum::<usize>(),
            Data::Map(pairs) => {
                let inside = pairs.iter().map(|(key, value)| quoted(key).len() + 1 + value.size()).sum::<usize>();
                1 + pairs.len().max(1) + inside
            }
        }
    }

    fn write(&self, depth: usize, out: &mut String) {
        let begin = |out: &mut String, index: usize, open: char| {
            out.push(if index == 0 { open } else { ',' });
            out.push('\n');
            out.extend(std::iter::repeat_n("  ", depth + 1));
        };
        let end = |out: &mut String, close: char| {
            out.push('\n');
            out.extend(std::iter::repeat_n("  ", depth));
            out.push(close);
        };
        match &self.data {
            Data::Null => out.push_str("null"),
            // Writing to a string cannot fail.
            Data::Bool(value) => drop(write!(out, "{value}")),
            Data::Number(text) => out.push_str(text),
            Data::Text(text) => out.push_str(&quoted(text)),
            Data::List(list) if list.is_empty() => out.push_str("[]"),
            Data::Map(pairs) if pairs.is_empty() => out.push_str("{}"),
            Data::List(list) => {
                for (index, value) in list.iter().enumerate() {
                    begin(out, index, '[');
                    value.write(depth + 1, out);
                }
                end(out, ']');
            }
            Data::Map(pairs) => {
                for (index, (key, value)) in pairs.iter().enumerate() {
                    begin(out, index, '{');
                    out.push_str(&quoted(key));
                    out.push_str(": ");
                    value.write(depth + 1, out);
                }
                end(out, '}');
            }
        }
    }
}

/// A text can always be written.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}
