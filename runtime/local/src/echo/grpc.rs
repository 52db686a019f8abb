//! gRPC as far as a workload needs it: the health service, and any unary call answered with who received it.

use http_body_util::{BodyExt as _, Full, combinators::BoxBody};
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use hyper::{Request, Response};
use prost::Message;
use std::convert::Infallible;

use super::Health;

const HEALTH: &str = "/grpc.health.v1.Health/";
const UNIMPLEMENTED: u32 = 12;
/// A flag for compression and four bytes of length.
const PREFIX: usize = 5;

/// What any call is answered. Its field numbers are far from those of other services' answers, whose clients skip
/// them and find an empty message.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct EchoReply {
    /// The JSON that an HTTP request would get.
    #[prost(string, tag = "15001")]
    pub json: String,
    /// The message of the call.
    #[prost(bytes = "bytes", tag = "15002")]
    pub message: Bytes,
}

/// `grpc.health.v1.HealthCheckResponse`.
#[derive(Clone, PartialEq, Eq, Message)]
struct HealthCheckResponse {
    #[prost(int32, tag = "1")]
    status: i32,
}

pub(super) fn is_grpc<B>(request: &Request<B>) -> bool {
    let kind = request.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    kind.is_some_and(|kind| kind.starts_with(b"application/grpc"))
}

/// The answer of the health service; `None` for a call of any other.
pub(super) fn health(path: &str, health: Health) -> Option<Response<BoxBody<Bytes, Infallible>>> {
    let method = path.strip_prefix(HEALTH)?;
    if method != "Check" {
        return Some(failed(UNIMPLEMENTED, ""));
    }
    let status = match health {
        Health::Serving => 1,
        Health::NotServing => 2,
    };
    Some(succeeded(&HealthCheckResponse { status }.encode_to_vec()))
}

pub(super) fn succeeded(message: &[u8]) -> Response<BoxBody<Bytes, Infallible>> {
    let mut framed = Vec::with_capacity(PREFIX + message.len());
    framed.push(0);
    framed.extend(u32::try_from(message.len()).unwrap_or(u32::MAX).to_be_bytes());
    framed.extend(message);
    let trailers = HeaderMap::from_iter([(status_name(), HeaderValue::from_static("0"))]);
    let trailers = std::future::ready(Some(Ok(trailers)));
    let body = Full::new(Bytes::from(framed)).with_trailers(trailers);
    grpc(Response::new(body.boxed()))
}

/// Without a body the status is among the headers, as gRPC's servers do it.
pub(super) fn failed(status: u32, message: &str) -> Response<BoxBody<Bytes, Infallible>> {
    let mut response = grpc(Response::new(Full::default().boxed()));
    response.headers_mut().insert(status_name(), HeaderValue::from(status));
    if let Ok(message) = HeaderValue::from_str(message) {
        response.headers_mut().insert(HeaderName::from_static("grpc-message"), message);
    }
    response
}

/// The first message of a body.
pub(super) fn message(body: &Bytes) -> Bytes {
    let message = body.get(PREFIX..).unwrap_or_default();
    body.slice_ref(message)
}

fn grpc(mut response: Response<BoxBody<Bytes, Infallible>>) -> Response<BoxBody<Bytes, Infallible>> {
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    response
}

fn status_name() -> HeaderName {
    HeaderName::from_static("grpc-status")
}
