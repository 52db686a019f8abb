//! Filters written with the `proxy-wasm` SDK, as most filters in Rust are: [`MODULE`] is their module.
//!
//! Our own filters do not use it, so this guest is how the host is held to its promise to run anyone's. It has two
//! root ids: `sdk-no-op` does nothing, and `sdk-probe` does a little of everything that the host implements.

#[cfg(target_arch = "wasm32")]
mod probe;
#[cfg(target_arch = "wasm32")]
mod root;

/// The module as it was linked, with every export of the SDK.
#[cfg(not(target_arch = "wasm32"))]
pub const MODULE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/guest.wasm"));
