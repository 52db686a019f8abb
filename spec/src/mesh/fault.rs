//! Deliberate failure of a share of requests.

use std::time::Duration;

use super::{Cidr, Engine, HeaderMatch, Place};
use crate::block::Block;
use crate::names::Name;
use crate::source::Spanned;
use crate::units::{Instant, Percent};
use crate::value::{http, mesh, number, text, time};

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
    /// Only of these callers.
    pub callers: Option<FaultCallers>,
    /// Something that requests bring decides which of them fail, in place of chance.
    pub select: Option<FaultSelect>,
    /// Only in this time.
    pub window: Option<FaultWindow>,
    /// While so many requests are held back, nothing fails: in one Envoy.
    pub max_active: Option<Spanned<u32>>,
    /// Requests may ask for faults in headers, so far and no further. Without it none may.
    pub header_control: Option<FaultControl>,
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
    /// So much shorter or longer, at most; anything between is as likely.
    #[field(value = time::DELAY)]
    pub jitter: Option<Spanned<Duration>>,
    /// So long, at most; anything from `duration` on is as likely. Not beside `jitter`.
    #[field(value = time::DELAY)]
    pub up_to: Option<Spanned<Duration>>,
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
    /// The body of the answer; at most 4,096 bytes.
    #[field(value = text::PROSE, default = "fault filter abort")]
    pub body: Option<Spanned<String>>,
    /// Headers of the answer.
    pub set: Vec<FaultHeader>,
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
    /// The message of the answer; at most 4,096 bytes.
    #[field(value = text::PROSE, default = "fault filter abort")]
    pub message: Option<Spanned<String>>,
    /// Headers of the answer.
    pub set: Vec<FaultHeader>,
}

/// A header of the answer.
#[derive(Clone, Debug, PartialEq, Block)]
#[block(what = "a header of the answer", line)]
pub struct FaultHeader {
    /// The header.
    #[field(main, value = http::HEADER_NAME)]
    pub name: Spanned<String>,
    /// Its value.
    #[field(value = http::HEADER_VALUE)]
    pub value: Spanned<String>,
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

/// Whose requests: who is one of those that are named here, and is where the networks are.
#[derive(Clone, Debug, Default, PartialEq, Block)]
#[block(what = "a set of callers", line, not_empty)]
pub struct FaultCallers {
    /// By the service that their node serves; needs mutual TLS.
    #[field(value = mesh::NAME)]
    pub from: Vec<Spanned<Name>>,
    /// By their SPIFFE identity.
    #[field(value = text::TEXT)]
    pub from_identity: Vec<Spanned<String>>,
    /// By the address that is connected.
    pub source: Vec<Spanned<Cidr>>,
    #[field(place)]
    pub place: Place,
}

/// Requests that bring the same meet the same fate, at every Envoy and every time.
#[derive(Clone, Debug, PartialEq, Block)]
#[block(what = "a selection", line)]
pub struct FaultSelect {
    /// The header that is hashed; of requests without it chance decides.
    #[field(value = http::HEADER_NAME)]
    pub by_header: Spanned<String>,
    /// Another seed chooses others.
    #[field(value = text::AS_WRITTEN, default = "empty")]
    pub seed: Option<Spanned<String>>,
}

/// From when, and until when.
#[derive(Clone, Debug, Default, PartialEq, Block)]
#[block(what = "a window", line, not_empty)]
pub struct FaultWindow {
    /// Not before.
    pub from: Option<Spanned<Instant>>,
    /// Not from then on.
    pub until: Option<Spanned<Instant>>,
    #[field(place)]
    pub place: Place,
}

/// What requests may ask for, in the headers of Envoy's own filter.
#[derive(Clone, Debug, PartialEq, Block)]
#[block(what = "header control", line, check = crate::decode::control_allows_something)]
pub struct FaultControl {
    /// The largest share of requests, and the share where they do not say one.
    pub max_percent: Spanned<Percent>,
    /// The longest delay; without it none can be asked for.
    #[field(value = time::DELAY)]
    pub max_delay: Option<Spanned<Duration>>,
    /// The HTTP statuses that can be asked for, 200 to 599.
    #[field(value = http::STATUS)]
    pub abort: Vec<Spanned<u16>>,
    /// The gRPC statuses that can be asked for, 1 to 16.
    #[field(value = number::GRPC_STATUS)]
    pub grpc_abort: Vec<Spanned<u32>>,
    /// Who may ask; without it whoever is meant by the fault.
    pub callers: Option<FaultCallers>,
}
