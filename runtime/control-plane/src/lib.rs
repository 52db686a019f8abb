//! Serves a compiled mesh over xDS, and changes it without losing a request.
//!
//! ```text
//! files ── reconcile ──▶ Snapshot ── guard, tombstones ──▶ Published ── watch ──▶ Stream (sans-io) ── server ──▶ Envoy
//!                                        │ store: kept on disk                      │ events ──▶ status, metrics
//! ```

pub mod admin;
pub mod csds;
pub mod guard;
pub mod identity;
pub mod limits;
pub mod metrics;
pub mod published;
pub mod reconcile;
pub mod registry;
pub mod server;
pub mod status;
pub mod store;
pub mod stream;
pub mod tombstones;
pub mod trace;
pub mod view;

pub use identity::Identity;
pub use limits::Limits;
pub use metrics::Metrics;
pub use published::Published;
pub use registry::Registry;
pub use status::Status;
pub use stream::{Event, Outgoing, Refusal, Request, Step, Stream, TypeStatus, Variant};
pub use view::{Resources, Served, View};
