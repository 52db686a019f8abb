//! Reads what runs on ECS, completely or not at all, and within a budget of calls.
//!
//! ```text
//! AWS ─ api ─▶ read: one whole moment ─▶ preserve: is that credible? ─▶ Observation ─▶ a file that `serve` follows
//! ```
//!
//! Nothing here knows what a label means: records only, with the compiler's word on which of them are kept.
