//! Runs proxy-wasm filters in wasmtime, as Envoy would.
