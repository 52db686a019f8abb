//! Reading the JSON access log that an Envoy writes, while it writes.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, sleep};

const POLL: Duration = Duration::from_millis(20);

/// Why an entry was not seen.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    #[error("cannot read the access log `{path}`: {source}")]
    Read { path: PathBuf, source: io::Error },
    #[error("no such entry in the access log within {within:?}; it has {entries} entries, the last is {last}")]
    Deadline { within: Duration, entries: usize, last: Value },
}

/// Every whole line that is a JSON object; a line still being written is left for later.
pub(crate) fn read(path: &Path) -> Result<Vec<Value>, LogError> {
    let bytes = std::fs::read(path).map_err(|source| LogError::Read { path: path.to_owned(), source })?;
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').and_then(|end| bytes.get(..end)).unwrap_or_default();
    let lines = whole.split(|byte| *byte == b'\n');
    Ok(lines.filter_map(|line| serde_json::from_slice(line).ok()).filter(Value::is_object).collect())
}

/// The first entry that the predicate accepts. Envoy writes with a delay, so it is waited for.
pub(crate) async fn wait_for(
    path: &Path,
    predicate: impl Fn(&Value) -> bool,
    within: Duration,
) -> Result<Value, LogError> {
    let deadline = Instant::now() + within;
    loop {
        let mut entries = read(path)?;
        if let Some(found) = entries.iter().position(&predicate) {
            return Ok(entries.swap_remove(found));
        }
        if Instant::now() >= deadline {
            let last = entries.last().cloned().unwrap_or_default();
            return Err(LogError::Deadline { within, entries: entries.len(), last });
        }
        sleep(POLL).await;
    }
}
