//! Runs a mesh on this machine: real Envoys on loopback addresses, echo workloads in place of services.
//!
//! [`place`] moves a mesh to loopback addresses, the caller compiles what it returns, [`start`] runs it,
//! and [`Client`] talks to it. Nothing here prints; Ctrl-C is the caller's. Needs an address range of its own
//! (`127.0.0.0/8`, which Linux gives to every process without set-up).

mod access_log;
pub mod admin;
pub mod client;
mod detour;
pub mod echo;
pub mod envoy;
pub mod launch;
pub mod place;
pub mod process;
pub mod run;
pub mod stream;
pub mod subnet;

pub use admin::{Admin, AdminError};
pub use client::{Client, ClientError, Request, Response, Version, basic_auth, send_all};
pub use detour::Detours;
pub use echo::{Behaviour, Echo, Health, Received};
pub use envoy::{EnvoyBinary, find};
pub use place::{Instance, InstanceKind, PlaceError, Placement, Port, Speaks, Workload, place};
pub use process::{Event, EventKind};
pub use run::{InstancePlan, Options, Plan, RunFolder, Running, StartError, start};
pub use subnet::{Claim, Subnet};
