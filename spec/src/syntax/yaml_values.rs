//! YAML events to values with places: anchors and merge keys resolved, every size bounded.

use std::borrow::Cow;
use std::collections::BTreeMap;

use granit_parser::{Event, Parser, Tag};

use super::too_many;
use super::tree::Scalar;
use super::yaml_scalars::resolve;
use crate::codes::{self, Code};
use crate::diagnostic::{Diagnostic, Diagnostics, quote};
use crate::source::{FileId, Span, Spanned};

/// A YAML node with its place.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Scalar(Scalar),
    List {
        items: Vec<Value>,
        span: Span,
    },
    /// Keys differ.
    Mapping {
        entries: Vec<Entry>,
        span: Span,
    },
}

pub(super) type Entry = (Spanned<String>, Value);

/// Values in one file, those brought in by aliases included.
const MAX_VALUES: usize = 1_000_000;
/// Values that aliases bring in, all together.
const MAX_ALIASED: usize = 100_000;
/// Levels of lists and mappings.
const MAX_DEPTH: usize = 64;

/// The file's one document. `None` after a mistake of syntax.
pub(super) fn read(text: &str, file: FileId, diagnostics: &mut Diagnostics) -> Option<Value> {
    let options = granit_parser::options! { emit_comments: false, emit_unresolved_aliases: true };
    let mut builder = Builder {
        file,
        length: text.len(),
        open: Vec::new(),
        anchors: BTreeMap::new(),
        values: 0,
        aliased: 0,
        root: None,
    };
    let mut documents = 0;
    for event in Parser::new_from_str_with_options(text, options) {
        let step = match event {
            Ok((Event::DocumentStart(..), place)) => {
                documents += 1;
                let second = "the file has more than one document";
                if documents > 1 { Err(builder.mistake(codes::SYNTAX, builder.span(&place), second)) } else { Ok(()) }
            }
            Ok((event, place)) => builder.event(event, &place, diagnostics),
            Err(error) => {
                let at = error.marker().byte_offset().unwrap_or(text.len());
                let deep = *error.kind() == granit_parser::ErrorKind::RecursionLimitExceeded;
                let code = if deep { codes::TOO_LARGE } else { codes::SYNTAX };
                Err(builder.mistake(code, Span::new(file, at, at), &error.kind().to_string()))
            }
        };
        if too_many(file, diagnostics) {
            return None;
        }
        if let Err(mistake) = step {
            diagnostics.push(*mistake);
            return None;
        }
    }
    builder.root
}

/// The document so far.
struct Builder {
    file: FileId,
    length: usize,
    open: Vec<Open>,
    /// Finished values by anchor, with the number of values in each.
    anchors: BTreeMap<usize, (Value, usize)>,
    values: usize,
    aliased: usize,
    root: Option<Value>,
}

/// A list or mapping whose end has not come yet.
struct Open {
    content: Content,
    span: Span,
    anchor: usize,
    /// How many values there were before it.
    before: usize,
}

enum Content {
    List(Vec<Value>),
    Mapping { entries: Vec<Entry>, places: BTreeMap<String, Span>, key: Key, merged: Vec<Value> },
}

/// Which part of an entry comes next.
enum Key {
    Awaited,
    Read(Spanned<String>),
    /// `<<`
    Merge,
    /// Not text, and reported: its value is dropped.
    Unusable,
}

type Step = Result<(), Box<Diagnostic>>;

impl Builder {
    fn event(&mut self, event: Event<'_>, place: &granit_parser::Span, diagnostics: &mut Diagnostics) -> Step {
        let span = self.span(place);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.count(1, span)?;
                let merge = text == "<<" && style == granit_parser::ScalarStyle::Plain && tag.is_none();
                self.check_tag(tag.as_ref(), span, diagnostics);
                let scalar = resolve(&text, style, tag.as_deref(), span);
                self.place(Value::Scalar(scalar), merge, anchor, 1, diagnostics);
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.check_tag(tag.as_ref(), span, diagnostics);
                self.begin(Content::List(Vec::new()), anchor, span)?;
            }
            Event::MappingStart(_, anchor, tag) => {
                self.check_tag(tag.as_ref(), span, diagnostics);
                let (entries, places, merged) = (Vec::new(), BTreeMap::new(), Vec::new());
                self.begin(Content::Mapping { entries, places, key: Key::Awaited, merged }, anchor, span)?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(diagnostics),
            Event::Alias(anchor) => {
                let Some((value, size)) = self.anchors.get(&anchor) else {
                    return Err(self.mistake(codes::SYNTAX, span, "this alias stands inside what it names"));
                };
                let (value, size) = (value.clone(), *size);
                self.aliased += size;
                if self.aliased > MAX_ALIASED {
                    let message = format!("aliases bring in more than {MAX_ALIASED} values");
                    return Err(self.mistake(codes::TOO_LARGE, span, &message));
                }
                self.count(size, span)?;
                self.place(value, false, 0, size, diagnostics);
            }
            Event::UnresolvedAlias(name) => {
                let message = format!("no anchor `&{}` stands before this alias", quote(&name));
                return Err(self.mistake(codes::SYNTAX, span, &message));
            }
            _ => {}
        }
        Ok(())
    }

    fn span(&self, place: &granit_parser::Span) -> Span {
        let range = place.byte_range().unwrap_or(0..0);
        Span::new(self.file, range.start.min(self.length), range.end.min(self.length))
    }

    fn mistake(&self, code: Code, span: Span, message: &str) -> Box<Diagnostic> {
        Box::new(Diagnostic::error(code, span, message))
    }

    fn count(&mut self, size: usize, span: Span) -> Step {
        self.values += size;
        if self.values <= MAX_VALUES {
            return Ok(());
        }
        Err(self.mistake(codes::TOO_LARGE, span, &format!("the file has more than {MAX_VALUES} values")))
    }

    fn check_tag(&self, tag: Option<&Cow<'_, Tag>>, span: Span, diagnostics: &mut Diagnostics) {
        if let Some(tag) = tag.filter(|tag| tag.core_suffix().is_none() && tag.original() != "!") {
            let message = format!("the tag `{}` has no meaning here", quote(&tag.original()));
            diagnostics.push(Diagnostic::error(codes::SYNTAX, span, message).help("leave the tag out"));
        }
    }

    fn begin(&mut self, content: Content, anchor: usize, span: Span) -> Step {
        let before = self.values;
        self.count(1, span)?;
        if self.open.len() == MAX_DEPTH {
            let message = format!("lists and mappings are nested deeper than {MAX_DEPTH} levels");
            return Err(self.mistake(codes::TOO_LARGE, span, &message));
        }
        self.open.push(Open { content, span, anchor, before });
        Ok(())
    }

    fn end(&mut self, diagnostics: &mut Diagnostics) {
        let Some(Open { content, span, anchor, before }) = self.open.pop() else { return };
        let value = match content {
            Content::List(items) => Value::List { items, span },
            Content::Mapping { mut entries, mut places, merged, .. } => {
                merged.into_iter().for_each(|value| merge(value, &mut entries, &mut places, diagnostics));
                let first = entries.first().map_or(span, |(key, _)| key.span);
                Value::Mapping { entries, span: if span.start == span.end { first } else { span } }
            }
        };
        self.place(value, false, anchor, self.values - before, diagnostics);
    }

    /// Puts a finished value where the document is.
    fn place(&mut self, value: Value, is_merge: bool, anchor: usize, size: usize, diagnostics: &mut Diagnostics) {
        if anchor != 0 {
            self.anchors.insert(anchor, (value.clone(), size));
        }
        let Some(open) = self.open.last_mut() else {
            self.root = Some(value);
            return;
        };
        match &mut open.content {
            Content::List(items) => items.push(value),
            Content::Mapping { entries, places, key, merged } => match std::mem::replace(key, Key::Awaited) {
                Key::Awaited if is_merge => *key = Key::Merge,
                Key::Awaited => *key = self::key(value, diagnostics),
                Key::Merge => merged.push(value),
                Key::Unusable => {}
                Key::Read(key) => match places.get(&key.value) {
                    Some(first) => {
                        let message = format!("`{}` is said twice", quote(&key.value));
                        let diagnostic = Diagnostic::error(codes::DUPLICATE_FIELD, key.span, message);
                        diagnostics.push(diagnostic.label("again here").related(*first, "first here"));
                    }
                    None => {
                        places.insert(key.value.clone(), key.span);
                        entries.push((key, value));
                    }
                },
            },
        }
    }
}

impl Value {
    pub(super) fn span(&self) -> Span {
        match self {
            Self::Scalar(scalar) => scalar.span,
            Self::List { span, .. } | Self::Mapping { span, .. } => *span,
        }
    }
}

fn key(value: Value, diagnostics: &mut Diagnostics) -> Key {
    match value {
        Value::Scalar(scalar) => Key::Read(Spanned::new(scalar.text, scalar.span)),
        other => {
            let diagnostic = Diagnostic::error(codes::SYNTAX, other.span(), "a key is a list or mapping");
            diagnostics.push(diagnostic.help("write text before `:`"));
            Key::Unusable
        }
    }
}

/// `<<: *base` or `<<: [*first, *second]`: what is already said stays.
fn merge(value: Value, entries: &mut Vec<Entry>, places: &mut BTreeMap<String, Span>, diagnostics: &mut Diagnostics) {
    match value {
        Value::Mapping { entries: merged, .. } => {
            for (key, value) in merged {
                if !places.contains_key(&key.value) {
                    places.insert(key.value.clone(), key.span);
                    entries.push((key, value));
                }
            }
        }
        Value::List { items, .. } if items.iter().all(|item| matches!(item, Value::Mapping { .. })) => {
            items.into_iter().for_each(|item| merge(item, entries, places, diagnostics));
        }
        other => {
            let diagnostic = Diagnostic::error(codes::WRONG_TYPE, other.span(), "`<<` merges mappings only");
            diagnostics.push(diagnostic.help("write an alias of a mapping, as in `<<: *base`"));
        }
    }
}
