//! Builders over Envoy's own types: the only code here that knows Envoy's field names.

pub(crate) mod access_log;
pub(crate) mod asked;
pub(crate) mod bootstrap;
pub(crate) mod cluster;
pub(crate) mod control_plane;
pub(crate) mod egress;
pub(crate) mod endpoint;
pub(crate) mod forward_proxy;
pub(crate) mod grpc;
pub(crate) mod http_filter;
pub(crate) mod listener;
pub(crate) mod names;
pub(crate) mod outside;
pub(crate) mod overlay;
pub(crate) mod rbac;
pub(crate) mod route;
pub(crate) mod stats;
pub(crate) mod tcp_proxy;
pub(crate) mod tls;
pub(crate) mod tracing;

use std::time::Duration;

/// Envoy's form of a span of time. Spans beyond 10,000 years (protobuf's limit) cannot come from a checked mesh.
fn duration(span: Duration) -> prost_types::Duration {
    prost_types::Duration {
        seconds: i64::try_from(span.as_secs()).unwrap_or(i64::MAX),
        nanos: i32::try_from(span.subsec_nanos()).unwrap_or(0),
    }
}
