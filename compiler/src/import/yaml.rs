//! Foreign YAML as a tree whose every value has its place: anchors and merge keys are resolved, sizes bounded.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use granit_parser::{Event, Parser, ScalarStyle, ScanError, Tag};
use spec::diagnostic::quote;
use spec::{Diagnostic, Diagnostics, FileId, Span, Spanned, codes};

/// A value and its place; that of a mapping is its first key.
#[derive(Clone, Debug)]
pub(crate) struct Value {
    pub(crate) data: Data,
    pub(crate) span: Span,
    /// Levels of nesting, itself included.
    depth: usize,
    /// Values in it, itself and its keys included; a long text counts as many.
    size: usize,
}

#[derive(Clone, Debug)]
pub(crate) enum Data {
    Null,
    /// The text without its quotes; numbers and booleans as they were written.
    Scalar(String),
    List(Vec<Value>),
    /// No key twice.
    Map(Vec<(Spanned<String>, Value)>),
}

const MAX_BYTES: usize = 5_000_000;
const MAX_DEPTH: usize = 64;
/// Aliases count as what they stand for.
const MAX_VALUES: usize = 500_000;

/// Reads the first document. `None` when there is no tree; then there is an error, unless the text is empty.
pub(crate) fn read(file: FileId, text: &str, diagnostics: &mut Diagnostics) -> Option<Value> {
    if text.len() > MAX_BYTES {
        let message = format!("the file has {} bytes; at most {MAX_BYTES} are read", text.len());
        diagnostics.push(Diagnostic::error(codes::TOO_LARGE, Span::new(file, 0, 0), message));
        return None;
    }
    let mut builder =
        Builder { file, text, frames: Vec::new(), anchors: BTreeMap::new(), values: 0, anchored: 0, root: None };
    for event in Parser::new_from_str(text) {
        let step = match event {
            Ok((event, span)) => builder.event(event, builder.span(span), diagnostics),
            Err(error) => Err(Box::new(syntax(file, text, &error))),
        };
        match step {
            Ok(Step::Continue) => {}
            Ok(Step::Done) => break,
            Err(diagnostic) => {
                diagnostics.push(*diagnostic);
                return None;
            }
        }
    }
    builder.root
}

struct Builder<'text> {
    file: FileId,
    text: &'text str,
    /// Collections that are still open, outermost first.
    frames: Vec<Frame>,
    anchors: BTreeMap<usize, Value>,
    values: usize,
    /// Values kept for aliases.
    anchored: usize,
    root: Option<Value>,
}

struct Frame {
    anchor: usize,
    span: Span,
    open: Open,
}

enum Open {
    List(Vec<Value>),
    Map(OpenMap),
}

#[derive(Default)]
struct OpenMap {
    entries: Vec<(Spanned<String>, Value)>,
    /// The places of the keys of `entries`.
    places: BTreeMap<String, Span>,
    /// A key that waits for its value.
    key: Option<Spanned<String>>,
    /// Values of `<<`.
    merges: Vec<Value>,
}

enum Step {
    Continue,
    Done,
}

type Stepped = Result<Step, Box<Diagnostic>>;

impl Builder<'_> {
    fn event(&mut self, event: Event<'_>, span: Span, diagnostics: &mut Diagnostics) -> Stepped {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.note_tag(tag.as_deref(), span, diagnostics);
                let plain = style == ScalarStyle::Plain && tag.is_none();
                let null = plain && matches!(text.as_ref(), "" | "~" | "null" | "Null" | "NULL");
                let size = text_size(&text);
                let data = if null { Data::Null } else { Data::Scalar(text.into_owned()) };
                self.place(Value { data, span, depth: 1, size }, anchor, diagnostics)
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.note_tag(tag.as_deref(), span, diagnostics);
                self.open(Frame { anchor, span, open: Open::List(Vec::new()) })
            }
            Event::MappingStart(_, anchor, tag) => {
                self.note_tag(tag.as_deref(), span, diagnostics);
                self.open(Frame { anchor, span, open: Open::Map(OpenMap::default()) })
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(diagnostics),
            Event::Alias(id) => match self.anchors.get(&id) {
                Some(target) => {
                    let value = Value { span, ..target.clone() };
                    self.place(value, 0, diagnostics)
                }
                None => {
                    let message = "an alias cannot stand inside what it stands for";
                    Err(Box::new(Diagnostic::error(codes::SYNTAX, span, message)))
                }
            },
            Event::DocumentStart(..) if self.root.is_some() => {
                let message = "only the first document of the file is read";
                diagnostics.push(Diagnostic::warning(codes::NOT_MAPPED, span, message));
                Ok(Step::Done)
            }
            _ => Ok(Step::Continue),
        }
    }

    fn open(&mut self, frame: Frame) -> Stepped {
        if self.frames.len() >= MAX_DEPTH {
            return Err(too_deep(frame.span));
        }
        self.frames.push(frame);
        Ok(Step::Continue)
    }

    fn close(&mut self, diagnostics: &mut Diagnostics) -> Stepped {
        let Some(Frame { anchor, span, open }) = self.frames.pop() else { return Ok(Step::Continue) };
        let (data, span) = match open {
            Open::List(items) => (Data::List(items), span),
            Open::Map(mut map) => {
                let span = map.entries.first().map_or(span, |(key, _)| key.span);
                let merges = std::mem::take(&mut map.merges);
                merges.into_iter().for_each(|merge| merge_into(&mut map, merge, diagnostics));
                (Data::Map(map.entries), span)
            }
        };
        let (children, keys): (Vec<&Value>, usize) = match &data {
            Data::List(items) => (items.iter().collect(), 0),
            Data::Map(entries) => {
                let keys = entries.iter().map(|(key, _)| text_size(&key.value)).sum();
                (entries.iter().map(|(_, value)| value).collect(), keys)
            }
            Data::Null | Data::Scalar(_) => (Vec::new(), 0),
        };
        let depth = 1 + children.iter().map(|child| child.depth).max().unwrap_or(0);
        let size = 1 + keys + children.iter().map(|child| child.size).sum::<usize>();
        // Its children are counted already.
        self.values = self.values.saturating_sub(size - 1);
        self.place(Value { data, span, depth, size }, anchor, diagnostics)
    }

    /// Puts a finished value where it belongs.
    fn place(&mut self, value: Value, anchor: usize, diagnostics: &mut Diagnostics) -> Stepped {
        self.values = self.values.saturating_add(value.size);
        if anchor != 0 {
            self.anchored = self.anchored.saturating_add(value.size);
        }
        if self.values.max(self.anchored) > MAX_VALUES {
            let message = format!("the file has more than {MAX_VALUES} values, aliases resolved");
            return Err(Box::new(Diagnostic::error(codes::TOO_LARGE, value.span, message)));
        }
        if self.frames.len() + value.depth > MAX_DEPTH {
            return Err(too_deep(value.span));
        }
        if anchor != 0 {
            self.anchors.insert(anchor, value.clone());
        }
        match self.frames.last_mut().map(|frame| &mut frame.open) {
            None => self.root = Some(value),
            Some(Open::List(items)) => items.push(value),
            Some(Open::Map(map)) => match map.key.take() {
                None => map.key = Some(key_of(value, diagnostics)),
                Some(key) if key.value == "<<" => map.merges.push(value),
                Some(key) => insert(map, key, value, diagnostics),
            },
        }
        Ok(Step::Continue)
    }

    fn note_tag(&self, tag: Option<&Tag>, span: Span, diagnostics: &mut Diagnostics) {
        if let Some(tag) = tag.filter(|tag| tag.is_custom()) {
            let message = format!("the tag `{}` has no meaning here", quote(&tag.original()));
            diagnostics.push(Diagnostic::warning(codes::NOT_MAPPED, span, message));
        }
    }

    fn span(&self, span: granit_parser::Span) -> Span {
        let range = span.byte_range().unwrap_or(0..0);
        let text = self.text.get(range.clone()).unwrap_or("");
        Span::new(self.file, range.start, range.start + text.trim_end().len())
    }
}

/// A long text counts as many values, so that copies of it are bounded too.
fn text_size(text: &str) -> usize {
    1 + text.len() / 64
}

/// Keys are texts; anything else is an error and a key that cannot occur.
fn key_of(value: Value, diagnostics: &mut Diagnostics) -> Spanned<String> {
    match value.data {
        Data::Scalar(text) => Spanned::new(text, value.span),
        Data::Null => Spanned::new("null".to_owned(), value.span),
        Data::List(_) | Data::Map(_) => {
            let message = "a key is a text, not a list or a mapping";
            diagnostics.push(Diagnostic::error(codes::WRONG_TYPE, value.span, message));
            Spanned::new("?".to_owned(), value.span)
        }
    }
}

fn insert(map: &mut OpenMap, key: Spanned<String>, value: Value, diagnostics: &mut Diagnostics) {
    match map.places.entry(key.value.clone()) {
        Entry::Occupied(earlier) => {
            let message = format!("`{}` is said twice", quote(&key.value));
            let diagnostic = Diagnostic::error(codes::DUPLICATE_FIELD, key.span, message);
            diagnostics.push(diagnostic.label("again here").related(*earlier.get(), "first here"));
        }
        Entry::Vacant(place) => {
            place.insert(key.span);
            map.entries.push((key, value));
        }
    }
}

/// YAML's merge key: what is said directly wins, then what is merged first.
fn merge_into(map: &mut OpenMap, merge: Value, diagnostics: &mut Diagnostics) {
    match merge.data {
        Data::Map(merged) => {
            for (key, value) in merged {
                if let Entry::Vacant(place) = map.places.entry(key.value.clone()) {
                    place.insert(key.span);
                    map.entries.push((key, value));
                }
            }
        }
        Data::List(items) => items.into_iter().for_each(|item| merge_into(map, item, diagnostics)),
        Data::Null | Data::Scalar(_) => {
            let message = "`<<` merges a mapping, or a list of mappings";
            diagnostics.push(Diagnostic::error(codes::WRONG_TYPE, merge.span, message));
        }
    }
}

fn too_deep(span: Span) -> Box<Diagnostic> {
    let message = format!("nested deeper than {MAX_DEPTH} levels");
    Box::new(Diagnostic::error(codes::TOO_LARGE, span, message))
}

fn syntax(file: FileId, text: &str, error: &ScanError) -> Diagnostic {
    let offset = error.marker().byte_offset().unwrap_or(0);
    let offset = text.floor_char_boundary(offset);
    let length = text.get(offset..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
    Diagnostic::error(codes::SYNTAX, Span::new(file, offset, offset + length), error.info())
}
