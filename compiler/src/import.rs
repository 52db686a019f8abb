//! Reads meshes that were written for other tools. What has no counterpart is named, never dropped silently.

pub mod bent;
pub mod ecs;
