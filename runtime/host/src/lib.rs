//! Runs proxy-wasm filters in wasmtime, as Envoy would.
//!
//! ```no_run
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let bytes = Vec::new();
//! use meshwright_host::{Module, Options};
//!
//! let module = Module::load(&bytes)?;
//! let mut vm = module.start("basic-auth", r#"{"rules":[]}"#, Options::default())?;
//! let outcome = vm.http_request([(":authority", "shop.svc"), (":path", "/")])?;
//! println!("{outcome:?}");
//! # Ok(())
//! # }
//! ```
//!
//! Time is virtual and chance is seeded or scripted, so a run is the same every time. Where the
//! interface's specification and Envoy 1.40 differ, Envoy is right. So far a virtual machine has
//! one plugin; a stream has the request, whose body comes in one piece, and the response's headers.
//! Response bodies, callouts and queues answer that they are not implemented.

mod error;
mod guest;
mod header_map;
mod host;
mod hostcalls;
mod metrics;
mod module;
mod outcome;
mod pairs;
mod random;
mod vm;
mod wasi;

pub use error::{LoadError, StartError, Trap};
pub use host::{Log, LogLevel};
pub use module::Module;
pub use outcome::{End, Outcome, Reply};
pub use random::Randomness;
pub use vm::{Exchange, Options, StreamId, Vm};
