//! The rules of xDS that a stream must keep, one by one.

mod delta;
mod general;
mod others;
mod sotw;
