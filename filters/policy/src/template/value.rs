//! What a request fills into templates.

use alloc::vec::Vec;

use super::{Source, is_control};
use crate::condition::{Values, View};
use crate::{Env, Property, SingleHeader, calendar};

const NANOS: u64 = 1_000_000_000;

/// The one value that the request has; none where it has several.
pub(super) fn value(source: &Source, view: &mut View<'_>, env: &mut dyn Env) -> Option<Vec<u8>> {
    let value = match source {
        Source::Header(name) => only(view.header(name.as_bytes())),
        Source::Cookie(name) => view.cookie(name.as_bytes(), only),
        Source::Query(name) => view.query(name.as_bytes(), only),
        Source::Method => view.method().map(<[u8]>::to_vec),
        Source::Path => only(view.path()),
        Source::Authority => view.request().single(SingleHeader::Authority),
        Source::Scheme => only(view.header(b":scheme")),
        Source::RequestId => view.request().single(SingleHeader::RequestId),
        Source::ClientAddress => view.request().property(Property::SourceAddress).map(|address| without_port(&address)),
        Source::Peer => view.request().property(Property::PeerUri),
        Source::Time => Some(calendar::rfc3339(env.unix_nanos() / NANOS)),
        Source::UnixSeconds => Some(calendar::decimal(env.unix_nanos() / NANOS)),
        Source::UnixMillis => Some(calendar::decimal(env.unix_nanos() / 1_000_000)),
    };
    value.filter(|value| !value.is_empty() && !value.iter().any(|byte| is_control(*byte)))
}

fn only(values: Values<'_>) -> Option<Vec<u8>> {
    match values {
        Values::One(value) => Some(value.to_vec()),
        Values::Missing | Values::Several => None,
    }
}

/// An address without its port: `10.0.0.1:80`, `[::1]:80`. Envoy always writes one.
fn without_port(address: &[u8]) -> Vec<u8> {
    let end = address.iter().rposition(|byte| *byte == b':').unwrap_or(address.len());
    let host = address.get(..end).unwrap_or_default();
    let host = host.strip_prefix(b"[").and_then(|host| host.strip_suffix(b"]")).unwrap_or(host);
    host.to_vec()
}
