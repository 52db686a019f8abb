//! What tests put around a mesh: authorities, servers, names, networks, and clients of every protocol.
//!
//! Everything here belongs to tests: it panics where the world does not do what a test needs.

pub mod authority;
pub mod datagrams;
pub mod dial;
pub mod grpc;
pub mod names;
pub mod namespace;
pub mod outside;
pub mod secrets;
pub mod tls;
pub mod tunnel;
pub mod web_socket;
pub mod wire;

pub use authority::{Authority, Leaf};
pub use datagrams::Datagrams;
pub use dial::From;
pub use names::Names;
pub use outside::{Outside, Serves};
pub use secrets::Secrets;
pub use tls::{TlsDial, TlsServer};
