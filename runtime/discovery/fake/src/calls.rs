//! How often each action was called, and what came of it.

use std::collections::BTreeMap;

use serde::Serialize;

/// Counts by action, such as `ListTasks`, and by what came of it: `ok`, the code of an error, or the name of a fault
/// that has none, such as `reset`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Calls(BTreeMap<String, BTreeMap<String, u64>>);

impl Calls {
    pub(crate) fn count(&mut self, action: &str, outcome: &str) {
        *self.0.entry(action.to_owned()).or_default().entry(outcome.to_owned()).or_default() += 1;
    }

    /// Calls of an action, whatever came of them.
    pub fn of(&self, action: &str) -> u64 {
        self.0.get(action).map_or(0, |outcomes| outcomes.values().sum())
    }

    /// Calls of an action with one outcome.
    pub fn with(&self, action: &str, outcome: &str) -> u64 {
        self.0.get(action).and_then(|outcomes| outcomes.get(outcome)).copied().unwrap_or(0)
    }

    /// Calls of any action with one outcome.
    pub fn outcome(&self, outcome: &str) -> u64 {
        self.0.values().filter_map(|outcomes| outcomes.get(outcome)).sum()
    }

    pub fn total(&self) -> u64 {
        self.0.values().flat_map(BTreeMap::values).sum()
    }
}
