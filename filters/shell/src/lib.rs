//! The only code that knows proxy-wasm: runs a policy inside Envoy without ever trapping.
