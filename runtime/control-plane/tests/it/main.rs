//! The control plane as its clients meet it: real connections over loopback.

mod client;
mod server;
