//! A small AWS for tests: as much of ECS, its agent, EC2 and Cloud Map as discovery asks for, and every way in which they fail.
//!
//! ```text
//! a test or a script ─ changes ─▶ World ─ ecs, ec2, cloud_map: what AWS would answer ─▶ faults ─▶ HTTP on 127.0.0.1
//! ```
//!
//! [`Fake::start`] serves it; [`Fake::change`] is the door for Rust and `POST /_fake/change` for everybody else. The
//! world is data and its answers are functions of it, so that a test may also ask [`ecs::answer`] without any network.

mod agent;
mod call;
pub mod calls;
pub mod cloud_map;
mod control;
pub mod ec2;
pub mod ecs;
pub mod failure;
pub mod faults;
pub mod limits;
pub mod moto;
mod page;
pub mod python;
mod reply;
mod server;
pub mod signature;
mod socket;
pub mod world;

pub use server::Fake;
