//! Deliberate failure of a share of requests.

use std::time::Duration;

use super::{Engine, HeaderMatch};
use crate::block::Block;
use crate::source::Spanned;
use crate::units::Percent;
use crate::value::{http, number, time};

/// Deliberate failure of a share of requests.
#[derive(Clone, Debug, Default, PartialEq, Block)]
#[block(what = "a fault", not_empty, check = crate::decode::fault_does_something)]
pub struct Fault {
    /// Requests wait before they go on.
    pub delay: Option<FaultDelay>,
    /// Requests are answered with an error instead of reaching the application.
    pub abort: Option<FaultAbort>,
    /// gRPC requests are answered with an error; not beside `abort`.
    pub grpc_abort: Option<FaultGrpcAbort>,
    /// Responses are slowed down.
    pub response_rate_limit: Option<FaultRateLimit>,
    /// Only requests with these headers.
    #[field(key = "header")]
    pub headers: Vec<HeaderMatch>,
    /// How many faults are under way at once, at most.
    pub max_active: Option<Spanned<u32>>,
    /// What makes them; what only Envoy's own filter can do, it does in any case.
    #[field(default = "wasm")]
    pub engine: Option<Spanned<Engine>>,
}

/// Requests wait before they go on.
#[derive(Clone, Debug, PartialEq, Block)]
#[block(what = "a delay", line)]
pub struct FaultDelay {
    /// How long; up to one hour.
    #[field(main, value = time::DELAY)]
    pub duration: Spanned<Duration>,
    /// The share of requests.
    pub percent: Spanned<Percent>,
}

/// Requests are answered with an error instead of reaching the application.
#[derive(Clone, Debug, PartialEq, Block)]
#[block(what = "an abort", line)]
pub struct FaultAbort {
    /// The HTTP status of the answer, 200 to 599.
    #[field(main, value = http::STATUS)]
    pub status: Spanned<u16>,
    /// The share of requests.
    pub percent: Spanned<Percent>,
}

/// gRPC requests are answered with an error instead of reaching the application.
#[derive(Clone, Debug, PartialEq, Block)]
#[block(what = "a gRPC abort", line)]
pub struct FaultGrpcAbort {
    /// The gRPC status of the answer, 1 to 16.
    #[field(main, value = number::GRPC_STATUS)]
    pub status: Spanned<u32>,
    /// The share of requests.
    pub percent: Spanned<Percent>,
}

/// Responses are slowed down.
#[derive(Clone, Debug, PartialEq, Block)]
#[block(what = "a slow response", line)]
pub struct FaultRateLimit {
    /// Kibibytes a second.
    #[field(main, value = number::POSITIVE)]
    pub kib_per_second: Spanned<u32>,
    /// The share of requests.
    pub percent: Spanned<Percent>,
}
