//! Every filter in one wasm module, each under its root id.
//!
//! Outside wasm there is nothing here: the module is built by `meshwright-artifacts`. It has no standard library, which
//! would be a third of it: whatever that does at a panic has nowhere to go inside Envoy.
#![cfg(target_arch = "wasm32")]
#![no_std]

use core::arch::wasm32;
use core::panic::PanicInfo;

#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

/// Never called, as far as tests and lints can tell: Envoy answers the request with 503 and starts the module anew.
#[panic_handler]
fn trap(_: &PanicInfo<'_>) -> ! {
    wasm32::unreachable()
}

shell::module!();
