//! Beside Envoy: passes xDS through, keeps the last good state, supervises.
//!
//! ```text
//! Envoy ── relay ──▶ link ──▶ control plane
//!            │ record: what Envoy acknowledged ──▶ keep: on disk
//!            └──▶ last good state, where no control plane answers
//! ```

pub mod keep;
pub mod last_good;
pub mod link;
mod metrics;
mod record;
pub mod relay;

pub use last_good::LastGood;
pub use link::{ControlPlanes, Tls};
pub use relay::{Door, Mode, Relay};
