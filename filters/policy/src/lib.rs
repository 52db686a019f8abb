//! The decisions of Meshwright's filters, as pure functions.
//!
//! A policy is `(configuration, request, environment) → verdict`. It does no I/O, reads no clock,
//! draws no randomness of its own and knows nothing of proxy-wasm, so the same code decides inside
//! Envoy, in the wasm host, in the simulator and in a browser. It never panics, whatever the
//! request: inside Envoy a panic takes the whole virtual machine down.

#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unwrap_used
    )
)]

pub mod basic_auth;
pub mod fault;
pub mod header_routing;
mod policy;
mod request;
mod scope;
#[cfg(feature = "testdata")]
pub mod testdata;
mod verdict;

pub use basic_auth::{
    BASIC_AUTH_ROOT_ID, BasicAuth, BasicAuthConfig, BasicAuthRule, BasicAuthUser, HtpasswdError, HtpasswdErrorKind,
    InvalidPasswordHash, PasswordHash, parse_htpasswd,
};
pub use fault::{FAULT_ROOT_ID, Fault, FaultAbort, FaultConfig, FaultDelay, FaultRule};
pub use header_routing::{
    HEADER_ROUTING_ROOT_ID, HeaderMatch, HeaderRouting, HeaderRoutingConfig, HeaderRoutingRule, HeaderValueMatch,
    ROUTE_HEADER,
};
pub use policy::{Counter, Env, HttpPolicy};
pub use request::{Header, HeaderList, Request, SingleHeader, join_repeat, joins_repeats};
pub use scope::{GRPC_HEALTH_CHECK, HEALTH_CHECK_HEADER};
pub use verdict::{HeaderEdit, LocalReply, Verdict};
