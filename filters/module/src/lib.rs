//! Every filter in one wasm module, each under its root id.
