//! What compiling and filtering cost. Each bench is a function of a size; tests run it at a small one.

pub mod envoy_cost;
pub mod filters;
pub mod in_envoy;
pub mod meshes;
pub mod pauses;
pub mod variants;
