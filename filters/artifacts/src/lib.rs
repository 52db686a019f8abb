//! The built and pruned wasm module, with its sha256.
