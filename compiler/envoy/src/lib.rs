//! Envoy 1.40's API types, generated from its own descriptors, with deterministic JSON and YAML and offline validation.

#[allow(
    clippy::all,
    dead_code,
    unreachable_pub,
    unused_qualifications,
    rustdoc::all,
    reason = "generated from Envoy's descriptors"
)]
mod generated {
    include!(concat!(env!("OUT_DIR"), "/modules.rs"));
}

mod any;
mod deprecated;
mod json;
mod schema;
mod tree;
mod validate;
mod walk;
mod yaml;

pub use any::any;
pub use deprecated::deprecated;
pub use generated::envoy::{admin, config, data, extensions, service, r#type};
pub use generated::{google, opentelemetry, udpa, xds};
pub use json::to_json;
pub use validate::{Violation, validate};
pub use yaml::to_yaml;
