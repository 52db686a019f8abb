//! The crate as its users see it, and as real Envoy sees what it makes.

mod agreement;
mod deprecation;
mod descriptors;
mod mapping;
mod merge;
mod printing;
mod probes;
mod reading;
mod real_envoy;
mod validation;
