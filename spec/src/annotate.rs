//! Fields by keys: `retry.attempts = 3` says what the field `attempts` of the block `retry` says.
//!
//! A key is the way from a service (or an endpoint) to a field, joined by dots. What can be said again and again has a
//! number, `route.1.path-prefix`; a named thing has its name, `subset.v2.labels.version`; below `labels` and their like
//! the rest is the user's own key.

use std::collections::BTreeMap;

use crate::block::Block;
use crate::codes;
use crate::decode::Fields;
use crate::diagnostic::{Diagnostic, Diagnostics, quote};
use crate::mesh::{Endpoint, Entry, Service};
use crate::shape::{self, Field, Occurs, Says, Value, ValueForm};
use crate::syntax::tree::{Kind, Node, Scalar};
use crate::units::parse_duration;

/// What a key leads to.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    pub field: &'static Field,
    /// What the field holds; `None` for keys of the user's own, and for `#true`.
    pub value: Option<&'static Value>,
}

/// A key of the manual, with `N` for numbers and `NAME` for names.
#[derive(Clone, Debug)]
pub struct Key {
    pub pattern: String,
    pub target: Target,
}

/// Fields that a key does not say: they are what annotations speak of, or stand in their own place.
const LEFT_OUT: [&str; 3] = ["name", "endpoint", "annotations"];

/// The field of a service that a key leads to.
pub fn of_service(key: &str) -> Option<Target> {
    let first = key.split('.').next()?;
    if LEFT_OUT.contains(&first) { None } else { resolve(key, Service::SHAPE) }
}

/// The field of an endpoint that a key leads to; `endpoint.` stands before it.
pub fn of_endpoint(key: &str) -> Option<Target> {
    let rest = key.strip_prefix("endpoint.")?;
    let first = rest.split('.').next()?;
    if ["address", "node", "ingress-port", "annotations"].contains(&first) {
        None
    } else {
        resolve(rest, Endpoint::SHAPE)
    }
}

/// Every key that speaks of a service.
pub fn service_keys() -> Vec<Key> {
    let mut keys = Vec::new();
    list(Service::SHAPE, "", &mut keys);
    keys.retain(|key| !LEFT_OUT.contains(&key.pattern.split('.').next().unwrap_or("")));
    keys
}

/// Every key that speaks of an endpoint.
pub fn endpoint_keys() -> Vec<Key> {
    let mut keys = Vec::new();
    list(Endpoint::SHAPE, "endpoint.", &mut keys);
    let left_out = ["endpoint.address", "endpoint.node", "endpoint.ingress-port", "endpoint.annotations.KEY"];
    keys.retain(|key| !left_out.contains(&key.pattern.as_str()));
    keys
}

/// The service with what the entries say besides. Every key must lead to a field of a service. `None` after a mistake,
/// which is reported.
pub fn service(service: &Service, entries: &[Entry], diagnostics: &mut Diagnostics) -> Option<Service> {
    add(service, entries, "", "a service", diagnostics)
}

/// The endpoint with what the entries say besides.
pub fn endpoint(endpoint: &Endpoint, entries: &[Entry], diagnostics: &mut Diagnostics) -> Option<Endpoint> {
    add(endpoint, entries, "endpoint.", "an endpoint", diagnostics)
}

/// Entries by the parts of their keys: numbers in their order, then names.
#[derive(Default)]
struct Tree<'e> {
    entry: Option<&'e Entry>,
    parts: BTreeMap<Part<'e>, Tree<'e>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part<'e> {
    Number(u32),
    Word(&'e str),
}

fn add<B: Block>(
    block: &B,
    entries: &[Entry],
    prefix: &str,
    what: &'static str,
    diagnostics: &mut Diagnostics,
) -> Option<B> {
    let mut tree = Tree::default();
    for entry in entries {
        let key = entry.key.value.strip_prefix(prefix).unwrap_or(&entry.key.value);
        let mut place = &mut tree;
        let mut shape = Some(B::SHAPE);
        let mut rest = key;
        // Below keys of the user's own, dots do not divide.
        while let Some(block) = shape {
            let (part, after) = rest.split_once('.').unwrap_or((rest, ""));
            place = place.parts.entry(Part::Word(part)).or_default();
            rest = after;
            shape = match block.field(part).map(|field| (field.says, field.occurs)) {
                Some((Says::Block(inner), occurs @ (Occurs::Many | Occurs::Named))) => {
                    let (part, after) = rest.split_once('.').unwrap_or((rest, ""));
                    let number = part.parse().ok().filter(|_| occurs == Occurs::Many);
                    place = place.parts.entry(number.map_or(Part::Word(part), Part::Number)).or_default();
                    rest = after;
                    Some(inner)
                }
                Some((Says::Block(inner), _)) => Some(inner),
                _ => None,
            };
            if rest.is_empty() {
                shape = None;
            }
        }
        if !rest.is_empty() {
            place = place.parts.entry(Part::Word(rest)).or_default();
        }
        place.entry = Some(entry);
    }
    let first = entries.first()?;
    let mut node = Node::new("", first.key.span);
    block.encode(&mut node);
    insert(&tree, B::SHAPE, &mut node, diagnostics);
    Fields::of(&node, what, B::SHAPE).decode(diagnostics)
}

fn insert(tree: &Tree<'_>, shape: &'static shape::Block, node: &mut Node, diagnostics: &mut Diagnostics) {
    for (part, below) in &tree.parts {
        let Part::Word(key) = *part else { continue };
        let Some(field) = shape.field(key) else { continue };
        match (field.says, field.occurs) {
            (Says::Block(inner), Occurs::Many) => {
                for item in below.parts.values() {
                    let mut child = Node::new(key.to_owned(), item.place(node));
                    insert(item, inner, &mut child, diagnostics);
                    node.fields.push(child);
                }
            }
            (Says::Block(inner), Occurs::Named) => {
                for (name, item) in &below.parts {
                    insert_named(key, &name.to_string(), item, inner, node, diagnostics);
                }
            }
            (Says::Block(inner), _) => insert(below, inner, child(node, key, below), diagnostics),
            (Says::Entries, _) => {
                let block = child(node, key, below);
                for (own, item) in &below.parts {
                    if let Some(entry) = item.entry {
                        leaf(block, &own.to_string(), field, entry, diagnostics);
                    }
                }
            }
            _ => {
                if let Some(entry) = below.entry {
                    leaf(node, key, field, entry, diagnostics);
                }
            }
        }
    }
}

fn insert_named(
    key: &str,
    name: &str,
    tree: &Tree<'_>,
    shape: &'static shape::Block,
    node: &mut Node,
    diagnostics: &mut Diagnostics,
) {
    let is_named =
        |child: &Node| child.key.value == key && child.arguments.first().is_some_and(|argument| argument.text == name);
    let index = node.fields.iter().position(is_named).unwrap_or_else(|| {
        let span = tree.place(node);
        let argument = Scalar { kind: Kind::Text, text: name.to_owned().into(), span };
        node.fields.push(Node { arguments: vec![argument], ..Node::new(key.to_owned(), span) });
        node.fields.len() - 1
    });
    if let Some(child) = node.fields.get_mut(index) {
        insert(tree, shape, child, diagnostics);
    }
}

/// The one child of this key, made when it is not there.
fn child<'n, 't>(node: &'n mut Node<'t>, key: &str, tree: &Tree<'_>) -> &'n mut Node<'t> {
    let index = node.fields.iter().position(|field| field.key.value == key).unwrap_or_else(|| {
        node.fields.push(Node::new(key.to_owned(), tree.place(node)));
        node.fields.len() - 1
    });
    &mut node.fields[index]
}

/// Says a value, unless something is said already.
fn leaf(node: &mut Node, key: &str, field: &Field, entry: &Entry, diagnostics: &mut Diagnostics) {
    let span = entry.value.span;
    let texts = texts(field, &entry.value.value);
    let earlier = match field.occurs {
        // The main value stands with the node itself.
        Occurs::Main => Some(&*node).filter(|node| !node.arguments.is_empty()),
        _ => node.fields.iter().find(|field| field.key.value == key),
    };
    if let Some(earlier) = earlier {
        let said = earlier.arguments.iter().map(|value| &*value.text);
        if !said.map(meaning).eq(texts.iter().copied().map(meaning)) {
            let message = format!("the annotation `{}` and a field say different things", quote(&entry.key.value));
            let diagnostic = Diagnostic::error(codes::CONFLICTING_ANNOTATION, span, message).label("the annotation");
            let place = earlier.arguments.first().map_or(earlier.key.span, |value| value.span);
            diagnostics.push(diagnostic.related(place, "the field").help("say it once"));
        }
        return;
    }
    let value = |text: &str| Scalar { kind: Kind::Variable, text: text.to_owned().into(), span };
    let arguments = texts.into_iter().map(value).collect();
    node.fields.push(Node { arguments, ..Node::new(key.to_owned(), entry.key.span) });
}

/// The values of an annotation: several where the field takes several.
fn texts<'t>(field: &Field, text: &'t str) -> Vec<&'t str> {
    match field.says {
        Says::Values(value) if divides(value) => text.split(',').map(str::trim).collect(),
        _ => vec![text],
    }
}

/// Whether commas stand between values of this kind. A text with a comma is said in the mesh; only expressions need
/// commas so often that they stay whole.
fn divides(value: &Value) -> bool {
    value.name != "regex"
}

/// `60s` is `1m`: what a value means, where that is more than its text.
fn meaning(text: &str) -> Result<std::time::Duration, &str> {
    parse_duration(text).ok_or(text)
}

/// The field that a key leads to.
fn resolve(key: &str, shape: &'static shape::Block) -> Option<Target> {
    let (part, rest) = match key.split_once('.') {
        Some((part, rest)) => (part, Some(rest)),
        None => (key, None),
    };
    let field = shape.field(part)?;
    match (field.says, field.occurs, rest) {
        (Says::Flag, _, None) => Some(Target { field, value: None }),
        (Says::Value(value) | Says::Values(value), _, None) => Some(Target { field, value: Some(value) }),
        (Says::Entries, _, Some(own)) if !own.is_empty() => Some(Target { field, value: None }),
        (Says::Block(inner), Occurs::Many, Some(rest)) => {
            let (number, rest) = rest.split_once('.')?;
            let valid = number.parse::<u32>().is_ok_and(|parsed| parsed.to_string() == number);
            if valid { resolve(rest, inner) } else { None }
        }
        (Says::Block(inner), Occurs::Named, Some(rest)) => {
            let (name, rest) = rest.split_once('.')?;
            if name.is_empty() { None } else { resolve(rest, inner) }
        }
        (Says::Block(inner), _, Some(rest)) => resolve(rest, inner),
        _ => None,
    }
}

fn list(shape: &'static shape::Block, prefix: &str, keys: &mut Vec<Key>) {
    for field in shape.keys() {
        let key = format!("{prefix}{}", field.key);
        match (field.says, field.occurs) {
            (_, Occurs::Name) => {}
            (Says::Block(inner), Occurs::Many) => list(inner, &format!("{key}.N."), keys),
            (Says::Block(inner), Occurs::Named) => list(inner, &format!("{key}.NAME."), keys),
            (Says::Block(inner), _) => list(inner, &format!("{key}."), keys),
            (Says::Entries, _) => {
                keys.push(Key { pattern: format!("{key}.KEY"), target: Target { field, value: None } });
            }
            (Says::Value(value) | Says::Values(value), _) => {
                keys.push(Key { pattern: key, target: Target { field, value: Some(value) } });
            }
            _ => keys.push(Key { pattern: key, target: Target { field, value: None } }),
        }
    }
}

impl Tree<'_> {
    /// The first entry's place.
    fn place(&self, node: &Node) -> crate::source::Span {
        let inside = || self.parts.values().map(|below| below.place(node)).next();
        self.entry.map(|entry| entry.key.span).or_else(inside).unwrap_or(node.key.span)
    }
}

impl std::fmt::Display for Part<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => number.fmt(formatter),
            Self::Word(word) => formatter.write_str(word),
        }
    }
}

impl Target {
    /// What the key takes: type, unit and range, for the manual and for messages.
    pub fn accepts(&self) -> String {
        let Some(value) = self.value else {
            return match self.field.says {
                Says::Flag => "`true`".to_owned(),
                _ => "text".to_owned(),
            };
        };
        let one = match value.form {
            ValueForm::Integer(low, u32::MAX) => format!("{}, at least {low}", value.expected),
            ValueForm::Integer(low, high) if !value.expected.contains("from") => {
                format!("{}, from {low} to {high}", value.expected)
            }
            ValueForm::Words(words) => {
                let words: Vec<String> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
                format!("one of {}", words.join(", "))
            }
            _ => value.expected.to_owned(),
        };
        match self.field.says {
            Says::Values(value) if divides(value) => format!("{one}; several separated by commas"),
            _ => one,
        }
    }
}
