//! The protocol of a stream, as conversations.

mod rules;
mod script;
mod world;
