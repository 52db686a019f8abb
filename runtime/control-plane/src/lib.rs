//! Serves a compiled mesh over xDS, and changes it without losing a request.
//!
//! ```text
//! files ── reconcile ──▶ Snapshot ── guard, tombstones ──▶ Published ── watch ──▶ Stream (sans-io) ── server ──▶ Envoy
//!                                        │ store: kept on disk                      │ events ──▶ status, metrics
//! ```

pub mod guard;
pub mod published;
pub mod store;
pub mod stream;
pub mod tombstones;
pub mod view;

pub use published::Published;
pub use stream::{Event, Outgoing, Refusal, Request, Step, Stream, TypeStatus, Variant};
pub use view::{Resources, Served, View};
