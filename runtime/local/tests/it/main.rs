//! Runs real Envoys and real sockets on loopback addresses.

mod echo;
mod process;
mod validate;
mod world;
