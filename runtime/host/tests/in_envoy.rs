//! Real filters in a real Envoy: the tables, random requests, and a guest of the SDK.

#[path = "in_envoy/bootstrap.rs"]
mod bootstrap;
#[path = "in_envoy/differential.rs"]
mod differential;
#[path = "in_envoy/echo.rs"]
mod echo;
#[path = "in_envoy/repeats.rs"]
mod repeats;
#[path = "in_envoy/sdk_guest.rs"]
mod sdk_guest;
#[path = "in_envoy/tables.rs"]
mod tables;
#[path = "in_envoy/wire.rs"]
mod wire;
#[path = "in_envoy/world.rs"]
mod world;
