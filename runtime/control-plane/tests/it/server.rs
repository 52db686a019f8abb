//! The server around the streams: who is let in, what a client may do to it, and how it stops.

mod harness;
mod identity;
mod malformed;
mod pages;
mod raw;
mod sharing;
mod stopping;
