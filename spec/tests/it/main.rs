//! The language as its users meet it: text in, meshes and diagnostics out.

mod malformed;
