//! The language as its users meet it: text in, meshes and diagnostics out.

mod convert;
mod files;
mod format;
mod fuzz;
mod generate;
mod hostile;
mod include;
mod malformed_kdl;
mod malformed_yaml;
mod manual;
mod round_trip;
mod schema;
mod severity;
mod suppress;
