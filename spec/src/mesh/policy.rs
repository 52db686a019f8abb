//! How requests are treated on their way: checks, limits, retries, faults, authentication.

use std::time::Duration;

use super::route::HeaderMatch;
use crate::names::Name;
use crate::source::Spanned;
use crate::units::{Percent, StatusRange};

/// Active HTTP health checking. What is absent has the default named here.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HealthCheck {
    /// Default `/healthz`.
    pub path: Option<Spanned<String>>,
    /// Default 10 s.
    pub interval: Option<Spanned<Duration>>,
    /// Default 3 s.
    pub timeout: Option<Spanned<Duration>>,
    /// How long the sidecar answers from its last result; default 30 s, zero asks the application each time.
    pub cache: Option<Spanned<Duration>>,
    /// Where the application answers checks, when not on its own port.
    pub port: Option<Spanned<u16>>,
    /// Default 200 to 399.
    pub expect: Option<Spanned<StatusRange>>,
    /// Successes in a row that make an endpoint healthy; default 3.
    pub healthy_threshold: Option<Spanned<u32>>,
    /// Failures in a row that make it unhealthy; default 3.
    pub unhealthy_threshold: Option<Spanned<u32>>,
}

/// Limits on what one caller has open towards a service (Envoy's `CircuitBreakers`). Absent: Envoy's default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CircuitBreaker {
    pub max_connections: Option<Spanned<u32>>,
    pub max_pending: Option<Spanned<u32>>,
    pub max_requests: Option<Spanned<u32>>,
    pub max_retries: Option<Spanned<u32>>,
}

/// Further tries of a failed request.
#[derive(Clone, Debug, PartialEq)]
pub struct Retry {
    /// Tries after the first one; at least 1.
    pub attempts: Spanned<u32>,
    /// Default: `gateway-error`, `connect-failure`, `refused-stream`.
    pub on: Vec<Spanned<RetryCondition>>,
    pub per_try_timeout: Option<Spanned<Duration>>,
}

/// Envoy's `retry_on` words for HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RetryCondition {
    FiveXx,
    GatewayError,
    Reset,
    ConnectFailure,
    RefusedStream,
    Retriable4xx,
}

/// Deliberate failure of a share of requests. At least one of the two is there.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    pub delay: Option<FaultDelay>,
    pub abort: Option<FaultAbort>,
}

/// Requests wait before they go on.
#[derive(Clone, Debug, PartialEq)]
pub struct FaultDelay {
    /// Up to one hour.
    pub duration: Spanned<Duration>,
    pub percent: Spanned<Percent>,
}

/// Requests are answered with an error instead of reaching the application.
#[derive(Clone, Debug, PartialEq)]
pub struct FaultAbort {
    /// 200 to 599.
    pub status: Spanned<u16>,
    pub percent: Spanned<Percent>,
}

/// HTTP basic authentication (RFC 7617).
#[derive(Clone, Debug, PartialEq)]
pub struct BasicAuth {
    /// Default: the name of the mesh.
    pub realm: Option<Spanned<String>>,
    /// Path of an htpasswd file, relative to the file that names it.
    pub htpasswd_file: Spanned<String>,
    /// Header in which the application gets the user's name.
    pub forward_user_header: Option<Spanned<String>>,
}

/// Ordered rules that send a request to another service by its headers; the first match wins.
#[derive(Clone, Debug, PartialEq)]
pub struct HeaderRouting {
    pub rules: Vec<RoutingRule>,
}

/// Requests whose headers all match go to `to`.
#[derive(Clone, Debug, PartialEq)]
pub struct RoutingRule {
    pub to: Spanned<Name>,
    /// Never empty after decoding without errors.
    pub headers: Vec<HeaderMatch>,
}

/// `key = value` as users of labels say it; its meaning is given by the compiler's table of annotations.
#[derive(Clone, Debug, PartialEq)]
pub struct Annotation {
    pub key: Spanned<String>,
    pub value: Spanned<String>,
}

impl RetryCondition {
    pub const ALL: [Self; 6] =
        [Self::FiveXx, Self::GatewayError, Self::Reset, Self::ConnectFailure, Self::RefusedStream, Self::Retriable4xx];

    /// Envoy's word, and the language's.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FiveXx => "5xx",
            Self::GatewayError => "gateway-error",
            Self::Reset => "reset",
            Self::ConnectFailure => "connect-failure",
            Self::RefusedStream => "refused-stream",
            Self::Retriable4xx => "retriable-4xx",
        }
    }
}
