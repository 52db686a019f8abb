//! The protocol of a stream, as conversations.

mod model;
mod order;
mod properties;
mod reconnect;
mod refusals;
mod rules;
mod script;
mod world;
