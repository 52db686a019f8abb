//! Beside Envoy: passes xDS through, keeps the last good state, supervises.
//!
//! ```text
//! Envoy ── relay ──▶ link ──▶ control plane
//!            │ record: what Envoy acknowledged ──▶ keep: on disk
//!            └──▶ last good state, where no control plane answers
//! ```

pub mod command;
pub mod health;
pub mod keep;
pub mod last_good;
pub mod link;
mod metrics;
pub mod own;
pub mod plan;
mod record;
pub mod relay;
pub mod run;
pub mod supervise;
pub mod task;

pub use last_good::LastGood;
pub use link::{ControlPlanes, Tls};
pub use plan::Plan;
pub use relay::{Door, Mode, Relay};
pub use run::{Options, RunError, run};

/// The listener that shows Envoy's statistics: every Envoy of a mesh has it, and it serves nobody.
pub(crate) const METRICS_LISTENER: &str = "prometheus";
