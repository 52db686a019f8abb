//! Listeners: an address and the HTTP connection manager behind it.

use std::net::IpAddr;
use std::time::Duration;

use envoy::config::core::v3::{
    HttpProtocolOptions, TrafficDirection, http_protocol_options::HeadersWithUnderscoresAction,
};
use envoy::config::listener::v3::{Filter, FilterChain, Listener, filter};
use envoy::config::route::v3::RouteConfiguration;
use envoy::extensions::filters::network::http_connection_manager::v3::{
    HttpConnectionManager,
    http_connection_manager::{CodecType, PathWithEscapedSlashesAction, RouteSpecifier, StripPortMode},
};
use spec::mesh::AccessLogFormat;

use super::http_filter::{self, HttpFilter};
use super::{access_log, duration, endpoint, names};
use crate::WasmModule;

/// What a listener is made of.
pub(crate) struct HttpListener {
    pub name: String,
    pub host: IpAddr,
    pub port: u16,
    pub side: Side,
    pub routes: RouteConfiguration,
    pub filters: Vec<HttpFilter>,
    pub access_log: AccessLogFormat,
}

/// Who speaks to a listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// Other sidecars, towards the application.
    Inbound,
    /// The application, towards other sidecars.
    Outbound,
    /// The outside world, through so many proxies of ours.
    Edge { trusted_hops: u32 },
    /// A metrics scraper.
    Scrape,
}

pub(crate) fn http_listener(parts: HttpListener, module: &WasmModule) -> Listener {
    let direction = match parts.side {
        Side::Inbound | Side::Edge { .. } => TrafficDirection::Inbound,
        Side::Outbound => TrafficDirection::Outbound,
        Side::Scrape => TrafficDirection::Unspecified,
    };
    // An untrusted peer must not make Envoy hold megabytes a connection (Envoy's edge best practices).
    let buffer_limit = matches!(parts.side, Side::Edge { .. }).then_some(32 * 1024);
    Listener {
        name: parts.name.clone(),
        address: Some(endpoint::address(parts.host, parts.port)),
        per_connection_buffer_limit_bytes: buffer_limit,
        traffic_direction: direction.into(),
        filter_chains: vec![FilterChain {
            filters: vec![Filter {
                name: "envoy.filters.network.http_connection_manager".to_owned(),
                config_type: Some(filter::ConfigType::TypedConfig(envoy::any(&connection_manager(parts, module)))),
            }],
            ..Default::default()
        }],
        ..Default::default()
    }
}

/// Paths are normalised and ambiguous ones refused, so that what filters and routes compare is what the
/// application sees; header names with underscores are refused, because many applications read them as dashes.
fn connection_manager(parts: HttpListener, module: &WasmModule) -> HttpConnectionManager {
    let (edge, trusted_hops) = match parts.side {
        Side::Edge { trusted_hops } => (true, trusted_hops),
        _ => (false, 0),
    };
    HttpConnectionManager {
        codec_type: CodecType::Auto.into(),
        stat_prefix: names::http_stat_prefix(&parts.routes.name),
        http_filters: http_filter::chain(parts.filters, module),
        common_http_protocol_options: Some(HttpProtocolOptions {
            headers_with_underscores_action: HeadersWithUnderscoresAction::RejectRequest.into(),
            ..Default::default()
        }),
        request_headers_timeout: Some(duration(Duration::from_secs(10))),
        access_log: match parts.access_log {
            AccessLogFormat::Json | AccessLogFormat::Text => vec![access_log::json()],
            AccessLogFormat::Off => Vec::new(),
        },
        use_remote_address: edge.then_some(true),
        xff_num_trusted_hops: trusted_hops,
        normalize_path: Some(true),
        merge_slashes: true,
        // Clients outside name whatever port they dialled, and some a final dot; no sidecar knows either.
        strip_port_mode: edge.then_some(StripPortMode::StripAnyHostPort(true)),
        strip_trailing_host_dot: edge,
        path_with_escaped_slashes_action: PathWithEscapedSlashesAction::RejectRequest.into(),
        route_specifier: Some(RouteSpecifier::RouteConfig(parts.routes)),
        ..Default::default()
    }
}
