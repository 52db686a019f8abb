//! From YAML events to values, within bounds.

use std::borrow::Cow;
use std::collections::BTreeMap;

use granit_parser::{Event, Tag};

use super::scalar::resolve;
use super::{Data, Strictness, Value};
use crate::codes::{self, Code};
use crate::diagnostic::{Diagnostic, Diagnostics, quote};
use crate::source::{FileId, Span, Spanned};

/// Values in one file, those brought in by aliases included.
pub(crate) const MAX_VALUES: usize = 800_000;
/// Values that are copied, all together: once for each anchor, and once for each alias.
const MAX_ALIASED: usize = 500_000;
/// Every so many bytes of a text count as one more value, so that copies of long texts are bounded too.
const BYTES_OF_A_VALUE: usize = 64;
/// Levels of lists and mappings, those inside aliases included.
const MAX_DEPTH: usize = 64;

/// The document so far.
pub(super) struct Builder<'t> {
    strictness: Strictness,
    file: FileId,
    text: &'t str,
    open: Vec<Open>,
    /// Finished values by anchor.
    anchors: BTreeMap<usize, (Value, Measure)>,
    values: usize,
    aliased: usize,
    root: Option<Value>,
}

/// As how many values a text counts.
pub(crate) fn size_of_text(text: &str) -> usize {
    1 + text.len() / BYTES_OF_A_VALUE
}

/// How large a finished value is.
#[derive(Clone, Copy)]
struct Measure {
    /// Values in it, itself and its keys included; a long text counts as many.
    size: usize,
    /// Levels of lists and mappings, itself included.
    depth: usize,
}

/// A list or mapping whose end has not come yet.
struct Open {
    content: Content,
    span: Span,
    anchor: usize,
    /// How many values there were before it.
    before: usize,
    /// The levels of the deepest value in it so far.
    depth: usize,
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

type Entry = (Spanned<String>, Value);

pub(super) type Step = Result<(), Box<Diagnostic>>;

impl<'t> Builder<'t> {
    pub(super) fn new(strictness: Strictness, text: &'t str, file: FileId) -> Self {
        let anchors = BTreeMap::new();
        Self { strictness, file, text, open: Vec::new(), anchors, values: 0, aliased: 0, root: None }
    }

    /// The document.
    pub(super) fn root(self) -> Option<Value> {
        self.root
    }

    pub(super) fn event(
        &mut self,
        event: Event<'_>,
        place: &granit_parser::Span,
        diagnostics: &mut Diagnostics,
    ) -> Step {
        let span = self.span(place);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let measure = Measure { size: size_of_text(&text), depth: 0 };
                self.count(measure.size, span)?;
                let merge = text == "<<" && style == granit_parser::ScalarStyle::Plain && tag.is_none();
                self.check_tag(tag.as_ref(), span, diagnostics);
                let value = Value { data: resolve(text.into_owned(), style, tag.as_deref()), span };
                self.keep(&value, anchor, measure)?;
                self.place(value, merge, measure, diagnostics);
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
            Event::SequenceEnd | Event::MappingEnd => self.end(diagnostics)?,
            Event::Alias(anchor) => {
                let Some((_, measure)) = self.anchors.get(&anchor) else {
                    return Err(self.mistake(codes::SYNTAX, span, "this alias stands inside what it names"));
                };
                let measure = *measure;
                if self.open.len() + measure.depth > MAX_DEPTH {
                    return Err(self.too_deep(span));
                }
                self.count_copy(measure.size, span)?;
                self.count(measure.size, span)?;
                // Copied only now, when it is known to fit.
                let Some((value, _)) = self.anchors.get(&anchor) else { return Ok(()) };
                self.place(value.clone(), false, measure, diagnostics);
            }
            Event::UnresolvedAlias(name) => {
                let message = format!("no anchor `&{}` stands before this alias", quote(&name));
                return Err(self.mistake(codes::SYNTAX, span, &message));
            }
            _ => {}
        }
        Ok(())
    }

    pub(super) fn span(&self, place: &granit_parser::Span) -> Span {
        let range = place.byte_range().unwrap_or(0..0);
        let start = range.start.min(self.text.len());
        let covered = self.text.get(range).unwrap_or("").trim_end();
        Span::new(self.file, start, start + covered.len())
    }

    pub(super) fn mistake(&self, code: Code, span: Span, message: &str) -> Box<Diagnostic> {
        Box::new(Diagnostic::error(code, span, message))
    }

    fn count(&mut self, size: usize, span: Span) -> Step {
        self.values += size;
        if self.values <= MAX_VALUES {
            return Ok(());
        }
        Err(self.mistake(codes::TOO_LARGE, span, &format!("the file has more than {MAX_VALUES} values")))
    }

    fn count_copy(&mut self, size: usize, span: Span) -> Step {
        self.aliased += size;
        if self.aliased <= MAX_ALIASED {
            return Ok(());
        }
        Err(self.mistake(codes::TOO_LARGE, span, &format!("aliases bring in more than {MAX_ALIASED} values")))
    }

    fn too_deep(&self, span: Span) -> Box<Diagnostic> {
        let message = format!("lists and mappings are nested deeper than {MAX_DEPTH} levels");
        self.mistake(codes::TOO_LARGE, span, &message)
    }

    fn check_tag(&self, tag: Option<&Cow<'_, Tag>>, span: Span, diagnostics: &mut Diagnostics) {
        if let Some(tag) = tag.filter(|tag| tag.core_suffix().is_none() && tag.original() != "!") {
            let message = format!("the tag `{}` has no meaning here", quote(&tag.original()));
            diagnostics.push(match self.strictness {
                Strictness::Strict => Diagnostic::error(codes::SYNTAX, span, message).help("leave the tag out"),
                Strictness::Foreign => Diagnostic::warning(codes::NOT_MAPPED, span, message),
            });
        }
    }

    fn begin(&mut self, content: Content, anchor: usize, span: Span) -> Step {
        let before = self.values;
        self.count(1, span)?;
        if self.open.len() == MAX_DEPTH {
            return Err(self.too_deep(span));
        }
        self.open.push(Open { content, span, anchor, before, depth: 0 });
        Ok(())
    }

    fn end(&mut self, diagnostics: &mut Diagnostics) -> Step {
        let Some(Open { content, span, anchor, before, depth }) = self.open.pop() else { return Ok(()) };
        let value = match content {
            Content::List(items) => Value { data: Data::List(items), span },
            Content::Mapping { mut entries, mut places, merged, .. } => {
                let span = entries.first().map_or(span, |(key, _)| key.span);
                merged.into_iter().for_each(|value| merge(value, &mut entries, &mut places, diagnostics));
                Value { data: Data::Map(entries), span }
            }
        };
        let measure = Measure { size: self.values - before, depth: depth + 1 };
        self.keep(&value, anchor, measure)?;
        self.place(value, false, measure, diagnostics);
        Ok(())
    }

    /// Keeps a copy for the aliases of an anchor.
    fn keep(&mut self, value: &Value, anchor: usize, measure: Measure) -> Step {
        if anchor != 0 {
            self.count_copy(measure.size, value.span)?;
            self.anchors.insert(anchor, (value.clone(), measure));
        }
        Ok(())
    }

    /// Puts a finished value where the document is.
    fn place(&mut self, value: Value, is_merge: bool, measure: Measure, diagnostics: &mut Diagnostics) {
        let Some(open) = self.open.last_mut() else {
            self.root = Some(value);
            return;
        };
        open.depth = open.depth.max(measure.depth);
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

/// Keys are texts; anything else is reported, and dropped with its value.
fn key(value: Value, diagnostics: &mut Diagnostics) -> Key {
    match value.data {
        Data::Scalar(scalar) => Key::Read(Spanned::new(scalar.text, value.span)),
        Data::Null | Data::List(_) | Data::Map(_) => {
            let what = match value.data {
                Data::Null => "nothing",
                Data::List(_) => "a list",
                _ => "a mapping",
            };
            let diagnostic = Diagnostic::error(codes::WRONG_TYPE, value.span, format!("a key is text, not {what}"));
            diagnostics.push(diagnostic.help("write text before `:`"));
            Key::Unusable
        }
    }
}

/// `<<: *base` or `<<: [*first, *second]`: what is already said stays.
fn merge(value: Value, entries: &mut Vec<Entry>, places: &mut BTreeMap<String, Span>, diagnostics: &mut Diagnostics) {
    match value.data {
        Data::Map(merged) => {
            for (key, value) in merged {
                if !places.contains_key(&key.value) {
                    places.insert(key.value.clone(), key.span);
                    entries.push((key, value));
                }
            }
        }
        Data::List(items) if items.iter().all(|item| matches!(item.data, Data::Map(_))) => {
            items.into_iter().for_each(|item| merge(item, entries, places, diagnostics));
        }
        Data::Null | Data::Scalar(_) | Data::List(_) => {
            let diagnostic = Diagnostic::error(codes::WRONG_TYPE, value.span, "`<<` merges mappings only");
            diagnostics.push(diagnostic.help("write an alias of a mapping, as in `<<: *base`"));
        }
    }
}
