//! Checks a message against the rules that Envoy itself enforces when it loads a configuration.

mod check;
mod rules;

use std::fmt;
use std::sync::LazyLock;

use prost::{Message, Name};

use crate::schema::{self, Form, LAYOUTS, Layout};
use crate::view::{Content, Datum, content};
use crate::walk::{Path, Visited, for_each, walk};
use rules::{Check, MessageRules, Rules, Test};

/// One rule that a message breaks: Envoy would refuse it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Where: `static_resources.clusters[0].name`. Empty for the message itself.
    pub path: String,
    /// Which rule, by its name in Envoy's descriptors: `string.min_len`.
    pub rule: String,
    /// What the value must be, in words.
    pub message: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = if self.path.is_empty() { "the message" } else { &self.path };
        write!(f, "{path}: {} ({})", self.message, self.rule)
    }
}

/// By the index of the message.
static RULES: LazyLock<Vec<MessageRules>> = LazyLock::new(|| LAYOUTS.iter().map(rules::of_layout).collect());

/// Every rule that the message breaks, outer messages first, fields in declaration order.
///
/// Goes into every `Any` whose type is in the descriptor set; others are taken as they are.
/// These are the rules of single values. Whether a named cluster or secret exists is not among them.
pub fn validate<M: Name + Message>(message: &M) -> Vec<Violation> {
    let mut violations = vec![];
    let enters = |layout: &Layout, place| !rules_of(layout).is_some_and(|rules| rules.skips(place));
    if !walk(message, &enters, &mut |visited| check_message(visited, &mut violations)) {
        violations.push(violation(&Path::Root, "nesting", "must not nest deeper than 100 messages".to_owned()));
    }
    violations
}

fn rules_of(layout: &Layout) -> Option<&'static MessageRules> {
    RULES.get(usize::from(layout.index))
}

fn check_message(visited: &Visited<'_, '_>, violations: &mut Vec<Violation>) {
    let (path, view) = (visited.path, visited.view);
    if view.layout.form == Form::Any && schema::of_url(view.url()).is_some() && view.unpacked().is_none() {
        violations.push(violation(path, "any.value", "must hold a message of the type that it names".to_owned()));
    }
    let Some(rules) = rules_of(view.layout) else { return };
    for (place, rules) in &rules.fields {
        let Some(field) = view.layout.fields.get(usize::from(*place)) else { continue };
        let path = Path::Name(path, field.name);
        let parts = visited.parts_of(*place);
        if rules.required && parts.is_empty() {
            violations.push(violation(&path, "required", "must be set".to_owned()));
        }
        if !rules.checks.is_empty() && (!parts.is_empty() || !field.presence) {
            check_value(&path, &unwrapped(content(field, parts)), rules, violations);
        }
    }
    for oneof in &rules.required_oneofs {
        if oneof.places.iter().all(|place| visited.parts_of(*place).is_empty()) {
            violations.push(violation(&Path::Name(path, &oneof.name), "oneof.required", oneof.message.clone()));
        }
    }
}

fn check_value(path: &Path<'_>, value: &Content<'_, '_>, rules: &Rules, violations: &mut Vec<Violation>) {
    if rules.ignores_empty && check::is_empty(value) {
        return;
    }
    for Check { rule, test } in &rules.checks {
        match test {
            Test::Items(rules) | Test::Values(rules) => for_each(path, value, |path, item| {
                check_value(path, &unwrapped(Content::One(item)), rules, violations);
            }),
            Test::Keys(rules) => {
                let Content::Map(_, entries) = value else { continue };
                for (key, _) in entries {
                    let value = Content::One(check::of_key(*key));
                    check_value(&Path::Entry(path, *key), &value, rules, violations);
                }
            }
            test => {
                if let Err(message) = check::check(test, value) {
                    violations.push(violation(path, rule, message));
                }
            }
        }
    }
}

/// The value that the rules of a wrapper speak about.
fn unwrapped<'a, 'p>(value: Content<'a, 'p>) -> Content<'a, 'p> {
    match value {
        Content::One(Datum::Message(view)) => Content::One(view.unwrapped().unwrap_or(Datum::Message(view))),
        other => other,
    }
}

fn violation(path: &Path<'_>, rule: &str, message: String) -> Violation {
    Violation { path: path.to_string(), rule: rule.to_owned(), message }
}
