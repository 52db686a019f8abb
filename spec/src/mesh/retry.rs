//! Further tries of failed requests.

use std::time::Duration;

use crate::block::{Block, Word};
use crate::source::Spanned;
use crate::units::Percent;
use crate::value::{http, number, time};

/// Further tries of failed requests.
#[derive(Clone, Debug, PartialEq, Block)]
#[block(what = "a retry", line)]
pub struct Retry {
    /// Tries after the first one.
    #[field(value = number::POSITIVE)]
    pub attempts: Spanned<u32>,
    /// What counts as failed.
    #[field(default = "gateway-error, connect-failure, refused-stream")]
    pub on: Vec<Spanned<RetryCondition>>,
    /// In whose words `on` is said.
    #[field(default = "envoy")]
    pub vocabulary: Option<Spanned<RetryVocabulary>>,
    /// Responses with these status codes count as failed too.
    #[field(value = http::STATUS)]
    pub status: Vec<Spanned<u16>>,
    /// Time limit of one try.
    #[field(value = time::POSITIVE)]
    pub per_try_timeout: Option<Spanned<Duration>>,
    /// Time limit of one try on which nothing happens.
    #[field(value = time::POSITIVE)]
    pub per_try_idle_timeout: Option<Spanned<Duration>>,
    /// How long to wait between tries.
    pub backoff: Option<Box<Backoff>>,
    /// Which share of the requests may be retries; replaces `max-retries` of the circuit breaker.
    pub budget: Option<Box<RetryBudget>>,
    /// Whether a further try prefers endpoints that were not tried.
    #[field(default = "true")]
    pub avoid_previous_hosts: Option<Spanned<bool>>,
}

/// The wait between tries: random, up to a bound that doubles with each try.
#[derive(Clone, Debug, PartialEq, Block)]
#[block(what = "a back-off", line)]
pub struct Backoff {
    /// The first bound.
    #[field(value = time::POSITIVE, default = "25ms")]
    pub base: Spanned<Duration>,
    /// The last bound.
    #[field(value = time::POSITIVE, default = "ten times the base")]
    pub max: Option<Spanned<Duration>>,
}

/// A bound on retries that grows with the traffic.
#[derive(Clone, Debug, PartialEq, Block)]
#[block(what = "a retry budget", line)]
pub struct RetryBudget {
    /// Of the requests under way.
    #[field(value = number::PERCENT, default = "20")]
    pub percent: Spanned<Percent>,
    /// So many retries at once are always allowed.
    #[field(default = "3")]
    pub min_concurrency: Option<Spanned<u32>>,
}

/// Whose words retry conditions are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Word)]
pub enum RetryVocabulary {
    /// Envoy's `retry_on` and `retry_grpc_on`.
    Envoy,
    /// App Mesh's `httpRetryEvents`, `tcpRetryEvents` and `grpcRetryEvents`.
    AppMesh,
    /// Consul's `RetryOn` and `RetryOnConnectFailure`.
    Consul,
}

/// What counts as a failure that is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Word)]
#[block(what = "words such as `gateway-error,reset`")]
pub enum RetryCondition {
    /// Envoy, Consul: any status from 500 to 599, a reset, a time-out, or no connection.
    #[word("5xx")]
    FiveXx,
    /// 502, 503, 504, and no answer at all.
    GatewayError,
    /// Envoy, Consul: no answer at all: disconnected, reset, timed out.
    Reset,
    /// Envoy, Consul: `reset`, if the request was not yet sent.
    ResetBeforeRequest,
    /// Envoy, Consul: no connection.
    ConnectFailure,
    /// Envoy, Consul: the request was refused by rate limiting.
    EnvoyRatelimited,
    /// Envoy, Consul: the stream was refused, so nothing was done.
    RefusedStream,
    /// Envoy, Consul: 409.
    #[word("retriable-4xx")]
    Retriable4xx,
    /// Envoy, Consul: the codes of `status`.
    RetriableStatusCodes,
    /// App Mesh: 500 to 508, 510, 511, and `reset`.
    ServerError,
    /// App Mesh: 409.
    ClientError,
    /// App Mesh: a refused stream.
    StreamError,
    /// App Mesh: no connection.
    ConnectionError,
    /// gRPC status 1.
    Cancelled,
    /// gRPC status 4.
    DeadlineExceeded,
    /// gRPC status 13.
    Internal,
    /// gRPC status 8.
    ResourceExhausted,
    /// gRPC status 14.
    Unavailable,
}

impl Retry {
    /// So many further tries, and nothing else.
    pub fn of(attempts: Spanned<u32>) -> Self {
        Self {
            attempts,
            on: Vec::new(),
            vocabulary: None,
            status: Vec::new(),
            per_try_timeout: None,
            per_try_idle_timeout: None,
            backoff: None,
            budget: None,
            avoid_previous_hosts: None,
        }
    }
}

impl RetryCondition {
    /// Whether the word belongs to a vocabulary.
    pub const fn is_word_of(self, vocabulary: RetryVocabulary) -> bool {
        let app_mesh = matches!(
            self,
            Self::ServerError | Self::GatewayError | Self::ClientError | Self::StreamError | Self::ConnectionError
        );
        let grpc = matches!(
            self,
            Self::Cancelled | Self::DeadlineExceeded | Self::Internal | Self::ResourceExhausted | Self::Unavailable
        );
        match vocabulary {
            RetryVocabulary::AppMesh => app_mesh || grpc,
            RetryVocabulary::Envoy | RetryVocabulary::Consul => grpc || matches!(self, Self::GatewayError) || !app_mesh,
        }
    }
}
