//! The language as its users meet it: text in, meshes and diagnostics out.

mod generate;
mod hostile;
mod malformed;
mod reference;
mod round_trip;
