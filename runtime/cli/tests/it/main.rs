//! The command and what its output does on real Envoys.

mod beside;
mod cli;
mod examples;
mod folder;
mod follow;
mod formats;
mod live;
mod malformed;
mod observed;
mod outputs;
mod random;
mod rules;
mod task_definition;
mod up;
