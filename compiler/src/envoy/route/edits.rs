//! Changes to headers, of several places at once.

use std::collections::BTreeMap;

use envoy::config::core::v3::{HeaderValueOption, header_value_option::HeaderAppendAction};
use spec::mesh::{HeaderEdits, HeaderValue};

use super::header_value;

/// As Envoy makes them: what is removed first, then what is set, then what is added.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Edits {
    pub remove: Vec<String>,
    pub add: Vec<HeaderValueOption>,
}

/// What becomes of one header.
#[derive(Default)]
struct Change<'a> {
    /// What it had is gone.
    replaced: bool,
    values: Vec<&'a HeaderValue>,
}

/// What these do one after the other, the narrowest place first.
pub(crate) fn edits<'a>(places: impl IntoIterator<Item = &'a HeaderEdits>) -> Edits {
    let mut changes: BTreeMap<String, Change<'a>> = BTreeMap::new();
    for edits in places {
        for name in &edits.remove {
            changes.insert(name.value.to_ascii_lowercase(), Change { replaced: true, values: Vec::new() });
        }
        for header in &edits.set {
            changes.insert(header.name.value.to_ascii_lowercase(), Change { replaced: true, values: vec![header] });
        }
        for header in &edits.add {
            changes.entry(header.name.value.to_ascii_lowercase()).or_default().values.push(header);
        }
    }
    let mut all = Edits::default();
    for (name, change) in changes {
        if change.values.is_empty() {
            all.remove.push(name.clone());
        }
        for (index, value) in change.values.iter().enumerate() {
            let action = match change.replaced && index == 0 {
                true => HeaderAppendAction::OverwriteIfExistsOrAdd,
                false => HeaderAppendAction::AppendIfExistsOrAdd,
            };
            all.add.push(option(&name, value, action));
        }
    }
    all
}

impl Edits {
    /// A header that replaces any of its name.
    pub(crate) fn set(name: &str, value: &str) -> Self {
        Self { remove: Vec::new(), add: vec![header_value(name, value)] }
    }
}

/// A header whose value is one of Envoy's formats, beside what a request has of its name.
pub(super) fn format_added(name: &str, format: &str) -> HeaderValueOption {
    let mut option = header_value(name, "");
    option.append_action = HeaderAppendAction::AppendIfExistsOrAdd.into();
    if let Some(header) = &mut option.header {
        format.clone_into(&mut header.value);
    }
    option
}

/// A value is a literal unless it is said to be a format.
fn option(name: &str, header: &HeaderValue, action: HeaderAppendAction) -> HeaderValueOption {
    let mut option = header_value(name, &header.value.value);
    option.append_action = action.into();
    option.keep_empty_value = header.value.value.is_empty();
    if let (Some(said), true) = (&mut option.header, header.format.as_ref().is_some_and(|format| format.value)) {
        said.value.clone_from(&header.value.value);
    }
    option
}
