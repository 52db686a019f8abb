//! The command and what its output does on real Envoys.

mod cli;
mod examples;
mod live;
mod malformed;
mod up;
