//! How discovery is, for pages and people.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Serialize;

/// Times are seconds since 1970.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// Such as `eu-central-1`.
    pub region: String,
    /// Clusters of the last whole read.
    pub clusters: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_read: Option<LastRead>,
    /// A read is under way: calls and tasks so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reading: Option<Reading>,
    /// When the next read begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_read: Option<u64>,
    /// Since the start, attempts that failed included.
    pub calls: u64,
    /// Of them, those that AWS refused for being too many.
    pub throttled: u64,
    /// Tasks that are known: running, starting and ending ones.
    pub tasks: usize,
    pub running: usize,
    /// Tasks that vanished and are kept.
    pub retained: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preserving: Option<Preserving>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failing: Option<Failing>,
    /// Families with a task definition that cannot be read: tasks of that revision are left out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<String>,
    /// What is wanted and cannot be had, or is not believed, one line each: it stays as it was.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
    /// Why the observation could not be written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unwritten: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct LastRead {
    /// When it ended.
    pub at: u64,
    pub seconds: f64,
    pub calls: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Reading {
    pub calls: u64,
    pub tasks: usize,
}

/// Many tasks vanished at once, and are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Preserving {
    pub since: u64,
    pub reason: String,
}

/// The last read was abandoned.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Failing {
    pub since: u64,
    /// Reads that were abandoned in a row.
    pub reads: u64,
    /// One line, without keys.
    pub error: String,
    /// Credentials are missing, expired or refused: nothing helps but new ones.
    pub credentials: bool,
}

impl Status {
    /// What somebody should look at, one line each; empty when all is well.
    pub fn alarms(&self) -> Vec<String> {
        let failing = self.failing.iter().map(|failing| match failing.credentials {
            true => format!("AWS does not take the credentials ({})", failing.error),
            false => format!("ECS cannot be read ({})", failing.error),
        });
        let preserving = self.preserving.iter().map(|preserving| format!("tasks are kept: {}", preserving.reason));
        let unread = self.unread.iter().map(|family| format!("a task definition of `{family}` cannot be read"));
        let unwritten = self.unwritten.iter().map(|error| format!("the observation cannot be written ({error})"));
        let missing = self.missing.iter().cloned();
        failing.chain(preserving).chain(unread).chain(missing).chain(unwritten).collect()
    }
}

/// Seconds since 1970.
pub(super) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs()
}
