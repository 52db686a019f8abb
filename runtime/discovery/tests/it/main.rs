//! What discovery promises, against an AWS in memory on a clock that does not wait, and over the wire.

mod crowd;
mod events;
mod moments;
mod outage;
mod running;
mod scenes;
mod wire;
mod world;
