//! Limits: on connections and requests, on failing endpoints, on rates.

use std::time::Duration;

use super::{Cidr, Engine, Place};
use crate::block::{Block, Choice, Word};
use crate::source::Spanned;
use crate::value::{http, number, text, time};

/// Limits on what one caller has open towards a service (Envoy's `CircuitBreakers`).
#[derive(Clone, Debug, Default, PartialEq, Block)]
#[block(what = "a circuit breaker", line, not_empty)]
pub struct CircuitBreaker {
    /// Connections.
    #[field(default = "1024")]
    pub max_connections: Option<Spanned<u32>>,
    /// Requests that wait for a connection.
    #[field(default = "1024")]
    pub max_pending: Option<Spanned<u32>>,
    /// Requests under way.
    #[field(default = "1024")]
    pub max_requests: Option<Spanned<u32>>,
    /// Retries under way.
    #[field(default = "3")]
    pub max_retries: Option<Spanned<u32>>,
    #[field(place)]
    pub place: Place,
}

/// Connections of callers to a service.
#[derive(Clone, Debug, Default, PartialEq, Block)]
#[block(what = "a connection pool", line, not_empty)]
pub struct ConnectionPool {
    /// Time limit of connecting.
    #[field(value = time::POSITIVE, default = "1s")]
    pub connect_timeout: Option<Spanned<Duration>>,
    /// How long a connection without requests stays open; 0s for ever.
    #[field(default = "1h")]
    pub idle_timeout: Option<Spanned<Duration>>,
    /// How long a connection is used; then it is drained and closed.
    #[field(value = time::POSITIVE)]
    pub max_connection_duration: Option<Spanned<Duration>>,
    /// How many requests a connection carries before it is closed.
    #[field(value = number::POSITIVE)]
    pub max_requests_per_connection: Option<Spanned<u32>>,
    /// How many streams an HTTP/2 connection carries at once.
    #[field(value = number::STREAMS)]
    pub max_concurrent_streams: Option<Spanned<u32>>,
    /// Probes of connections on which nothing happens.
    pub tcp_keepalive: Option<TcpKeepalive>,
    #[field(place)]
    pub place: Place,
}

/// TCP keepalive, in whole seconds.
#[derive(Clone, Debug, Default, PartialEq, Block)]
#[block(what = "a TCP keepalive", line)]
pub struct TcpKeepalive {
    /// Silence before the first probe.
    #[field(value = time::POSITIVE, default = "the system's")]
    pub time: Option<Spanned<Duration>>,
    /// Time between probes.
    #[field(value = time::POSITIVE, default = "the system's")]
    pub interval: Option<Spanned<Duration>>,
    /// Probes without answer before the connection is given up.
    #[field(value = number::POSITIVE, default = "the system's")]
    pub probes: Option<Spanned<u32>>,
    #[field(place)]
    pub place: Place,
}

/// When endpoints that fail requests are left out for a while (Envoy's `OutlierDetection`).
#[derive(Clone, Debug, Default, PartialEq, Block)]
#[block(what = "outlier detection", line)]
pub struct OutlierDetection {
    /// Answers from 500 to 599 in a row, failures to connect included.
    #[field(value = number::POSITIVE, default = "5")]
    pub consecutive_5xx: Option<Spanned<u32>>,
    /// Answers 502, 503 or 504 in a row.
    #[field(value = number::POSITIVE, default = "5, not enforced")]
    pub consecutive_gateway_failure: Option<Spanned<u32>>,
    /// Failures to connect in a row, counted apart from answers.
    #[field(value = number::POSITIVE)]
    pub consecutive_local_origin_failure: Option<Spanned<u32>>,
    /// Time between decisions.
    #[field(value = time::POSITIVE, default = "10s")]
    pub interval: Option<Spanned<Duration>>,
    /// How long an endpoint is left out; longer each time.
    #[field(value = time::POSITIVE, default = "30s")]
    pub base_ejection_time: Option<Spanned<Duration>>,
    /// The longest time an endpoint is left out.
    #[field(value = time::POSITIVE, default = "300s")]
    pub max_ejection_time: Option<Spanned<Duration>>,
    /// The largest share of endpoints that is left out; one endpoint always may be.
    #[field(value = number::WHOLE_PERCENT, default = "10")]
    pub max_ejection_percent: Option<Spanned<u32>>,
    /// How likely an endpoint that failed is left out.
    #[field(value = number::WHOLE_PERCENT, default = "100")]
    pub enforcing_percent: Option<Spanned<u32>>,
    #[field(place)]
    pub place: Place,
}

/// Limits that the service's own sidecars enforce, whoever calls.
#[derive(Clone, Debug, Default, PartialEq, Block)]
#[block(what = "a set of inbound limits", line, not_empty)]
pub struct Inbound {
    /// Time limit of a request at the application; 0s for none.
    pub timeout: Option<Spanned<Duration>>,
    /// Time limit of a stream on which nothing happens; 0s for none.
    pub idle_timeout: Option<Spanned<Duration>>,
    /// Connections to the application.
    pub max_connections: Option<Spanned<u32>>,
    /// Requests that wait for a connection to the application.
    pub max_pending: Option<Spanned<u32>>,
    /// Requests under way at the application.
    pub max_requests: Option<Spanned<u32>>,
    /// The largest body of a request, in bytes; larger ones are answered 413.
    #[field(value = number::POSITIVE)]
    pub max_request_bytes: Option<Spanned<u32>>,
    #[field(place)]
    pub place: Place,
}

/// How many requests a sidecar or gateway accepts: a bucket that fills steadily. Each Envoy counts for itself; with the
/// engine `wasm` and without `shared`, each of its workers does.
#[derive(Clone, Debug, PartialEq, Block)]
#[block(what = "a rate limit", line)]
pub struct RateLimit {
    /// So many requests …
    #[field(value = number::POSITIVE)]
    pub requests: Spanned<u32>,
    /// … in this time, at least 50ms.
    #[field(value = time::FILL_INTERVAL, default = "1s")]
    pub per: Option<Spanned<Duration>>,
    /// So many at once, after silence.
    #[field(value = number::POSITIVE, default = "as many as `requests`")]
    pub burst: Option<Spanned<u32>>,
    /// What refused requests are answered.
    #[field(value = http::STATUS, default = "429")]
    pub status: Option<Spanned<u16>>,
    /// Requests are counted apart by these; all together when none is said.
    #[field(key = "by")]
    pub keys: Vec<RateLimitKey>,
    /// What counts; only ours has `cost`, `unkeyed`, `except`, `trusted-hops`, `headers`, `body`, and keys from cookies
    /// or with exceptions.
    #[field(default = "native where it can")]
    pub engine: Option<Spanned<Engine>>,
    /// Whether all workers of an Envoy take from the same buckets. Envoy's own always do.
    #[field(default = "false")]
    pub shared: Option<Spanned<bool>>,
    /// How many requests one request counts for.
    #[field(value = number::POSITIVE, default = "1")]
    pub cost: Option<Spanned<u32>>,
    /// What becomes of requests that lack a key.
    #[field(default = "together")]
    pub unkeyed: Option<Spanned<Unkeyed>>,
    /// Clients whose requests are not counted.
    pub except: Vec<Spanned<Cidr>>,
    /// How many proxies of ours a request passes before it comes here, for the address of its client. A gateway has its
    /// own `trusted-hops`.
    #[field(value = number::TRUSTED_HOPS, default = "0: the address that is connected")]
    pub trusted_hops: Option<Spanned<u32>>,
    /// What clients are told of the limit.
    #[field(default = "none")]
    pub headers: Option<Spanned<RateLimitHeaders>>,
    /// What clients are told that it is called.
    #[field(value = text::TEXT, default = "its place among the limits")]
    pub name: Option<Spanned<String>>,
    /// The body of refusals.
    #[field(value = text::PROSE)]
    pub body: Option<Spanned<String>>,
    /// Whether refusals are only counted.
    #[field(default = "false")]
    pub dry_run: Option<Spanned<bool>>,
}

/// What becomes of requests that lack a key of a rate limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Word)]
pub enum Unkeyed {
    /// They are counted together.
    Together,
    /// They are not counted.
    Pass,
    /// They are refused.
    Refuse,
}

/// What clients are told of a rate limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Word)]
pub enum RateLimitHeaders {
    /// Nothing; a refusal has `Retry-After` all the same.
    None,
    /// `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers-10).
    Standard,
    /// `X-RateLimit-Limit`, `X-RateLimit-Remaining` and `X-RateLimit-Reset`.
    Legacy,
    /// All of them.
    Both,
}

/// What requests are counted by.
#[derive(Clone, Debug, PartialEq, Block)]
#[block(what = "a key of a rate limit", line)]
pub struct RateLimitKey {
    /// Where the key is taken from.
    #[field(one_of)]
    pub source: Spanned<RateLimitKeySource>,
    /// Only requests whose key is this.
    #[field(value = text::NOT_EMPTY)]
    pub exact: Option<Spanned<String>>,
    /// Requests whose key is one of these are not counted.
    #[field(value = text::NOT_EMPTY)]
    pub except: Vec<Spanned<String>>,
}

/// Where the key of a rate limit is taken from.
#[derive(Clone, Debug, PartialEq, Eq, Choice)]
#[block(what = "a source")]
pub enum RateLimitKeySource {
    /// The value of a header.
    #[field(value = http::HEADER_NAME)]
    Header(String),
    /// The value of a parameter of the query.
    #[field(value = text::NOT_EMPTY)]
    Query(String),
    /// The value of a cookie.
    #[field(value = text::TEXT)]
    Cookie(String),
    /// The caller's address; our filter takes an IPv6 network of 64 bits for one caller.
    SourceAddress,
    /// The caller's identity in its certificate; needs mutual TLS.
    Caller,
    /// The path.
    Path,
    /// The method.
    Method,
}
