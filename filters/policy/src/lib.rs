//! The decisions of Meshwright's filters, as pure functions.
//!
//! A policy is `(configuration, request, environment) → verdict`. It does no I/O, reads no clock,
//! draws no randomness of its own and knows nothing of proxy-wasm's calls, so the same code decides
//! inside Envoy, in the wasm host, in the simulator and in a browser. It never panics, whatever the
//! request: inside Envoy a panic takes the whole virtual machine down.
//!
//! Without the standard library: what it keeps for the case of a panic is a fifth of a small module.

#![no_std]
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

extern crate alloc;
#[cfg(any(test, feature = "testdata"))]
extern crate std;

pub mod basic_auth;
mod bounded;
mod chance;
mod client;
mod condition;
mod decode;
mod env;
pub mod fault;
mod filter;
pub mod header_routing;
pub mod ip_access;
mod no_op;
pub mod pairs;
mod path;
mod policy;
pub mod rate_limit;
mod request;
mod scope;
#[cfg(feature = "testdata")]
pub mod testdata;
mod verdict;

pub use basic_auth::{
    BASIC_AUTH_ROOT_ID, BasicAuth, BasicAuthConfig, BasicAuthRule, BasicAuthUser, HtpasswdError, HtpasswdErrorKind,
    InvalidPasswordHash, PasswordHash, parse_htpasswd,
};
pub use bounded::{Bounded, Key};
pub use client::{Address, Network, Networks};
pub use condition::{Condition, Holds, NamedMatch, NumberRange, StringMatch, ValueMatch};
pub use decode::{Decode, Fields, Invalid, decode};
pub use env::{Counter, Env, Shared};
pub use fault::{
    FAULT_CONTROL_HEADERS, FAULT_ROOT_ID, Fault, FaultAbort, FaultCallers, FaultConfig, FaultControl, FaultDelay,
    FaultHeader, FaultSelect, http_status_of_grpc,
};
pub use filter::{Configure, Decide, FILTERS, Filter, find};
pub use header_routing::{
    CookieText, DRY_RUN_HEADER, HEADER_ROUTING_ROOT_ID, HeaderRouting, HeaderRoutingConfig, HeaderRoutingRule,
    ROUTE_HEADER, RouteShare, RouteShares, SameSite, Sticky, StickyBy, VisitorCookie,
};
pub use ip_access::{IP_ACCESS_ROOT_ID, IpAccess, IpAccessConfig};
pub use no_op::{NO_OP_ROOT_ID, NoOp, NoOpConfig};
pub use path::normalised;
pub use policy::HttpPolicy;
pub use rate_limit::{
    RATE_LIMIT_ROOT_ID, RateLimit, RateLimitConfig, RateLimitHeaders, RateLimitKey, RateLimitKeySource, RateLimitRule,
    Unkeyed,
};
pub use request::{Header, HeaderList, Headers, Property, Request, SingleHeader, join_repeat, joins_repeats};
pub use scope::{GRPC_HEALTH_CHECK, HEALTH_CHECK_HEADER};
pub use verdict::{Edits, HeaderEdit, LocalReply, Verdict};

/// The SHA-256 of some bytes (FIPS 180-4).
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    use sha2::Digest as _;
    sha2::Sha256::digest(bytes).into()
}
