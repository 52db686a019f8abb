//! Envoy 1.40's API types, generated from its own descriptors, with deterministic JSON and YAML and offline validation.
//!
//! Modules follow the protobuf packages: `envoy.config.cluster.v3.Cluster` is
//! [`config::cluster::v3::Cluster`]. Everything else is a pure function of a message.
//!
//! ```
//! use meshwright_envoy::config::cluster::v3::Cluster;
//! use meshwright_envoy::{to_yaml, validate};
//!
//! let mut cluster = Cluster { name: "beta".into(), ..Cluster::default() };
//! assert_eq!(to_yaml(&cluster), "name: beta\n");
//! assert!(validate(&cluster).is_empty());
//!
//! cluster.name.clear();
//! assert_eq!(validate(&cluster)[0].rule, "string.min_len");
//! ```

#[allow(
    clippy::all,
    clippy::allow_attributes_without_reason,
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
mod merge;
mod print;
mod read;
mod schema;
mod validate;
mod view;
mod walk;
mod wire;
mod yaml;

pub use any::any;
pub use deprecated::deprecated;
pub use generated::envoy::{admin, config, data, extensions, service, r#type};
pub use generated::{google, opentelemetry, udpa, xds};
pub use json::to_json;
pub use merge::merge_json;
pub use read::{NotReadable, read_json};
pub use validate::{Violation, validate};
pub use yaml::{add_yaml, to_yaml};
