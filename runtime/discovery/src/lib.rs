//! Reads what runs on ECS, completely or not at all, and within a budget of calls.
//!
//! ```text
//! AWS ─ api ─▶ read: one whole moment ─▶ preserve: is that credible? ─▶ Observation ─▶ a file that `serve` follows
//! ```
//!
//! Nothing here knows what a label means: records only, with the compiler's word on which of them are kept. What is known
//! of tasks is also told by [`events`], to whoever has a queue of them; polling alone is enough.

pub mod api;
pub mod back_off;
pub mod budget;
mod calls;
pub mod events;
pub mod metrics;
pub mod preserve;
pub mod read;
pub mod run;
pub mod write;

pub use api::aws::Aws;
pub use run::reader::{Moment, Reader};
pub use run::status::Status;
pub use run::{Handle, Options, start};
