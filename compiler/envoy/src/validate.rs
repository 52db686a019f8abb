//! Checks a message against the rules that Envoy itself enforces when it loads a configuration.

mod check;
mod rules;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;

use prost::{Message, Name};
use prost_reflect::{DynamicMessage, FieldDescriptor, ReflectMessage, Value};

use crate::schema;
use crate::tree::is_wrapper;
use crate::walk::{elements, join, walk};
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

static RULES: LazyLock<BTreeMap<String, MessageRules>> = LazyLock::new(|| rules::of_pool(&schema::POOL));

/// Every rule that the message breaks, outer messages first, fields in declaration order.
///
/// Goes into every `Any` whose type is in the descriptor set; others are taken as they are.
/// These are the rules of single values. Whether a named cluster or secret exists is not among them.
pub fn validate<M: Name + Message>(message: &M) -> Vec<Violation> {
    let mut violations = vec![];
    let Some(root) = schema::dynamic(message) else {
        violations.push(violation("", "nesting", "must not nest deeper than 100 messages".to_owned()));
        return violations;
    };
    let enters = |field: &FieldDescriptor| {
        !RULES.get(field.parent_message().full_name()).is_some_and(|rules| rules.skips(field))
    };
    walk(&root, &enters, &mut |path, message| check_message(path, message, &mut violations));
    violations
}

fn check_message(path: &str, message: &DynamicMessage, violations: &mut Vec<Violation>) {
    let name = message.descriptor().full_name().to_owned();
    if name == "google.protobuf.Any" && schema::is_known(message) && schema::unpack(message).is_none() {
        violations.push(violation(path, "any.value", "must hold a message of the type that it names".to_owned()));
    }
    let Some(rules) = RULES.get(&name) else { return };
    for (field, rules) in &rules.fields {
        let path = join(path, field.name());
        let set = message.has_field(field);
        if rules.required && !set {
            violations.push(violation(&path, "required", "must be set".to_owned()));
        }
        if !rules.checks.is_empty() && (set || !field.supports_presence()) {
            check_value(&path, &unwrapped(&message.get_field(field)), rules, violations);
        }
    }
    for oneof in &rules.required_oneofs {
        if !oneof.fields().any(|field| message.has_field(&field)) {
            let choices: Vec<String> = oneof.fields().map(|field| format!("`{}`", field.name())).collect();
            let text = format!("one of {} must be set", choices.join(", "));
            violations.push(violation(&join(path, oneof.name()), "oneof.required", text));
        }
    }
}

fn check_value(path: &str, value: &Value, rules: &Rules, violations: &mut Vec<Violation>) {
    if rules.ignores_empty && check::is_empty(value) {
        return;
    }
    for Check { rule, test } in &rules.checks {
        match test {
            Test::Items(rules) | Test::Values(rules) => {
                for (path, item) in elements(path, value) {
                    check_value(&path, &unwrapped(item), rules, violations);
                }
            }
            Test::Keys(rules) => {
                for (path, key) in check::keys(path, value) {
                    check_value(&path, &key, rules, violations);
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
fn unwrapped(value: &Value) -> Cow<'_, Value> {
    match value {
        Value::Message(message) if is_wrapper(message.descriptor().full_name()) => {
            message.get_field_by_number(1).unwrap_or(Cow::Borrowed(value))
        }
        other => Cow::Borrowed(other),
    }
}

fn violation(path: &str, rule: &str, message: String) -> Violation {
    Violation { path: path.to_owned(), rule: rule.to_owned(), message }
}
