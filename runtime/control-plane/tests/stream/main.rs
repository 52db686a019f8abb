//! The protocol of a stream, as conversations.

mod fuzz;
mod hostile;
mod model;
mod order;
mod properties;
mod reconnect;
mod refusals;
mod rules;
mod script;
mod world;
