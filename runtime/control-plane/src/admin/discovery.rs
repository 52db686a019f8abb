//! What the pages show of whoever finds out what runs, and tell it.

use serde_json::Value;

/// Finds out what runs. Nothing that it shows is secret.
pub trait Discovery: Send + Sync {
    /// Names with what is to be said of each.
    fn lines(&self) -> Vec<(&'static str, String)>;

    /// The same for machines.
    fn json(&self) -> Value;

    /// What vanished and is kept because it was too much at once goes. False if nothing is kept.
    fn release(&self) -> bool;
}
