//! Runs real Envoys and real sockets on loopback addresses.

mod echo;
mod mesh;
mod process;
mod validate;
mod world;
