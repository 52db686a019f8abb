//! The only code that knows proxy-wasm's calls: runs a policy inside Envoy without ever trapping.
//!
//! Callbacks and hostcalls are written here, on the bare binary interface. The usual library for
//! it panics on statuses and contexts it does not expect, and a panic inside Envoy takes the
//! virtual machine down; it also keeps every hostcall of the interface in the module, which
//! doubles its size. Here every status is a value, and every failure has a safe outcome: a request
//! whose headers cannot be edited is answered with 500, and one that cannot be answered stays
//! held.

#![no_std]
#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unwrap_used
    )
)]

extern crate alloc;

#[cfg(target_arch = "wasm32")]
mod callbacks;
#[cfg(any(target_arch = "wasm32", test))]
mod delays;
#[cfg(target_arch = "wasm32")]
mod hostcalls;
#[cfg(target_arch = "wasm32")]
mod plugin;
#[cfg(target_arch = "wasm32")]
mod stream;
#[cfg(any(target_arch = "wasm32", test))]
mod table;
#[cfg(target_arch = "wasm32")]
mod world;

#[cfg(target_arch = "wasm32")]
pub use callbacks::initialize;

/// Makes the crate a proxy-wasm module.
#[macro_export]
macro_rules! module {
    () => {
        /// Called once by the host, before any other function.
        #[unsafe(no_mangle)]
        pub extern "C" fn _initialize() {
            $crate::initialize();
        }
    };
}
