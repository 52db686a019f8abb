//! Trials of the control plane: real Envoys under constant load, while what they are told changes, breaks or is killed.
//!
//! A trial is a function of its size: tests run it small, `make bench-control-plane` at the size that figures are quoted
//! for.

pub mod backend;
pub mod beside;
pub mod between;
pub mod bootstrap;
pub mod client;
pub mod control;
pub mod cut;
pub mod endpoints;
pub mod failover;
pub mod fault;
pub mod files;
pub mod killed;
pub mod load;
pub mod malformed;
pub mod mesh;
pub mod outage;
pub mod proxy;
pub mod refused;
pub mod refusing;
pub mod replica;
pub mod serve;
pub mod stage;
pub mod stalled;
pub mod swap;
pub mod table;
pub mod tasks;
