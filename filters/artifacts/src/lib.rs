//! The built and pruned wasm module, with its sha256.

/// The module with every filter, each under its root id.
pub const MODULE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/meshwright.wasm"));

/// The sha256 of [`MODULE`] in lower-case hexadecimal: part of Envoy's `vm_id`, so that a new
/// module never shares a virtual machine with an old one.
pub const MODULE_SHA256: &str = include_str!(concat!(env!("OUT_DIR"), "/meshwright.sha256"));
