//! What the fuzz target calls; `tests/stream/fuzz.rs` calls the same laws on every file of the corpus.

mod laws;

/// Any conversation.
pub fn stream(bytes: &[u8]) {
    laws::stream(bytes);
}
