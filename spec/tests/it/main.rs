//! The language as its users meet it: text in, meshes and diagnostics out.

mod files;
mod generate;
mod hostile;
mod include;
mod malformed_kdl;
mod malformed_yaml;
mod reference;
mod round_trip;
mod severity;
mod suppress;
