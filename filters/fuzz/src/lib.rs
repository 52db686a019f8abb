//! What the fuzz targets call; `filters/policy/tests/corpora.rs` calls the same laws on every file of the corpora.

mod conversation;
mod laws;
mod mutate;
mod world;

use meshwright_policy::testdata::Case;

pub use mutate::mutate;

/// A conversation with a filter; with `slow` also those that check slow password hashes.
pub fn decide(bytes: &[u8], slow: bool) {
    laws::decide(bytes, slow);
}

/// A file of users.
pub fn htpasswd(bytes: &[u8]) {
    laws::htpasswd(bytes);
}

/// A header map of proxy-wasm.
pub fn pairs(bytes: &[u8]) {
    laws::pairs(bytes);
}

/// The conversation of a table's case.
pub fn seed(root_id: &str, config: &str, case: &Case) -> Vec<u8> {
    conversation::Conversation::seed(root_id, config, case)
}

/// With which filter a conversation is.
pub fn root_id(bytes: &[u8]) -> String {
    conversation::Conversation::read(bytes).root_id
}
