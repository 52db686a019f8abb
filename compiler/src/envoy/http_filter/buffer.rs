//! `envoy.filters.http.buffer`: refuses requests whose body is too large.

use envoy::extensions::filters::http::buffer::v3::{Buffer, BufferPerRoute, buffer_per_route::Override};

use super::{HttpFilter, Rank, typed};

/// The filter, disabled where nothing is said of it.
pub(crate) fn buffer() -> HttpFilter {
    typed(Rank::Buffer, "envoy.filters.http.buffer", &Buffer { max_request_bytes: Some(u32::MAX) })
}

/// What a virtual host says of it: larger bodies are answered 413.
pub(crate) fn at_most(bytes: u32) -> BufferPerRoute {
    BufferPerRoute { r#override: Some(Override::Buffer(Buffer { max_request_bytes: Some(bytes) })) }
}
