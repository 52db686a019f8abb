//! The protocol of a stream, as conversations.

mod order;
mod reconnect;
mod refusals;
mod rules;
mod script;
mod world;
