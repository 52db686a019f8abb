//! Envoy 1.40's API types, generated from its own descriptors, with deterministic JSON and YAML and offline validation.

#[allow(
    clippy::all,
    unreachable_pub,
    unused_qualifications,
    rustdoc::all,
    reason = "generated from Envoy's descriptors"
)]
mod generated {
    include!(concat!(env!("OUT_DIR"), "/modules.rs"));
}

mod any;

pub use any::any;
pub use generated::envoy::{admin, annotations, config, data, extensions, service, r#type};
pub use generated::{google, opentelemetry, udpa, validate as rules, xds};
