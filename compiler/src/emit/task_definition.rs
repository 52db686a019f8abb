//! A task of ECS with a sidecar in it: what its task definition needs besides the application, and what of it is wrong.
//!
//! ```text
//! JSON ─ read: registered, described or CloudFormation ─▶ Definition ─┬─ patch ─▶ JSON, in the order in which it came
//! CheckedMesh, proxy ─ wanted: what the mesh asks of the task ─▶ Wanted ┴─ check ─▶ findings
//! ```
//!
//! <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RegisterTaskDefinition.html>

mod check;
mod json;
mod patch;
mod read;
mod sidecar;
mod wanted;

pub use check::check;
pub use patch::{Options, patch};
