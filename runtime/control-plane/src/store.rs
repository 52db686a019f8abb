//! States outlive the process: whoever starts without sources serves what was served last.

mod folder;
mod sealed;

use std::time::Duration;

use prost::Message as _;

use crate::published::{Published, State};

pub use folder::FolderStore;
pub use sealed::{Damage, open, seal};

/// Where states are kept: a folder, or something that many replicas share.
pub trait Store: Send + Sync {
    /// The newest state that is whole.
    fn load(&self) -> Loaded;

    /// Keeps a state. Afterwards [`Store::load`] finds it, or the one before it: never a part.
    fn save(&self, state: &State) -> Result<(), StoreError>;

    /// For status pages.
    fn place(&self) -> String;
}

/// What was found.
#[derive(Debug, Default)]
pub struct Loaded {
    pub state: Option<State>,
    /// Files that are no state that can be served, and why.
    pub skipped: Vec<(String, String)>,
}

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("cannot write {path}: {error}")]
    Write { path: String, error: std::io::Error },
    #[error("{path} is in use by another process")]
    InUse { path: String },
}

impl Loaded {
    /// What was served last, if anything is there.
    pub fn published(&self, now: Duration, grace: Duration) -> Option<Published> {
        self.state.as_ref().map(|state| state.restored(now, grace)).filter(|published| !published.is_empty())
    }
}

pub(crate) fn encode(state: &State) -> Vec<u8> {
    seal(&state.encode_to_vec())
}

pub(crate) fn decode(bytes: &[u8]) -> Result<State, Damage> {
    State::decode(open(bytes)?).map_err(|_| Damage::Meaningless)
}
