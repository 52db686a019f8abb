//! What the fuzz targets call; `filters/policy/tests/corpora.rs` calls the same laws on every file of the corpora.

mod conversation;
mod laws;
mod mutate;
mod world;

pub use conversation::Conversation;
pub use laws::{decide, htpasswd, pairs};
pub use mutate::mutate;
