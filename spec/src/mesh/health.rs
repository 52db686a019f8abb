//! Active health checking.

use std::time::Duration;

use super::Place;
use crate::block::{Block, Word};
use crate::source::Spanned;
use crate::units::StatusRange;
use crate::value::{http, network, number, time};

/// Active health checking: callers ask each endpoint, and leave out those that do not answer well.
#[derive(Clone, Debug, Default, PartialEq, Block)]
#[block(what = "a health check", line)]
pub struct HealthCheck {
    /// How the endpoint is asked.
    #[field(default = "what the service speaks")]
    pub protocol: Option<Spanned<HealthCheckProtocol>>,
    /// The path that is asked.
    #[field(value = http::PATH, default = "/healthz")]
    pub path: Option<Spanned<String>>,
    /// Time between questions.
    #[field(value = time::POSITIVE, default = "10s")]
    pub interval: Option<Spanned<Duration>>,
    /// Time limit of an answer.
    #[field(value = time::POSITIVE, default = "3s")]
    pub timeout: Option<Spanned<Duration>>,
    /// How long the sidecar answers from its last result; 0s asks the application each time.
    #[field(default = "30s")]
    pub cache: Option<Spanned<Duration>>,
    /// Where the application answers checks, when not on its own port.
    #[field(value = network::PORT)]
    pub port: Option<Spanned<u16>>,
    /// The `Host` of the question.
    #[field(value = http::HOST_NAME, default = "the service's name")]
    pub host: Option<Spanned<String>>,
    /// The service that is asked about, for gRPC (`grpc.health.v1`).
    pub grpc_service: Option<Spanned<String>>,
    /// Answers that mean healthy.
    #[field(default = "200-399")]
    pub expect: Option<Spanned<StatusRange>>,
    /// Successes in a row that make an endpoint healthy.
    #[field(value = number::POSITIVE, default = "3")]
    pub healthy_threshold: Option<Spanned<u32>>,
    /// Failures in a row that make it unhealthy.
    #[field(value = number::POSITIVE, default = "3")]
    pub unhealthy_threshold: Option<Spanned<u32>>,
    #[field(place)]
    pub place: Place,
}

/// How an endpoint is asked for its health.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Word)]
pub enum HealthCheckProtocol {
    /// A GET over HTTP/1.1.
    Http,
    /// A GET over HTTP/2.
    Http2,
    /// The gRPC health protocol.
    Grpc,
    /// That a connection opens is enough.
    Tcp,
}
