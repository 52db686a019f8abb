//! Listeners: an address, and the filter chains behind it.

use std::net::IpAddr;
use std::time::Duration;

use envoy::config::accesslog::v3::AccessLog;
use envoy::config::core::v3::{
    AggregatedConfigSource, ApiVersion, ConfigSource, HttpProtocolOptions, TrafficDirection, TransportSocket,
    config_source::ConfigSourceSpecifier, http_protocol_options::HeadersWithUnderscoresAction,
};
use envoy::config::listener::v3::{Filter, FilterChain, FilterChainMatch, Listener as Message, filter};
use envoy::extensions::filters::network::http_connection_manager::v3::{
    HttpConnectionManager, Rds,
    http_connection_manager::{
        CodecType, PathWithEscapedSlashesAction, RouteSpecifier, StripPortMode, Tracing, UpgradeConfig,
    },
};
use envoy::extensions::filters::network::tcp_proxy::v3::TcpProxy;

use super::http_filter::{self, HttpFilter};
use super::{duration, endpoint, names};

/// What a listener is made of.
pub(crate) struct Listener {
    pub name: String,
    pub host: IpAddr,
    pub port: u16,
    pub side: Side,
    /// The first whose conditions are the narrowest takes a connection; never empty.
    pub chains: Vec<Chain>,
}

/// What becomes of a connection.
pub(crate) struct Chain {
    /// Unique in its listener.
    pub name: String,
    /// Which connections.
    pub when: FilterChainMatch,
    /// How they are encrypted; `None`: not.
    pub tls: Option<TransportSocket>,
    /// Filters before the last one.
    pub filters: Vec<Filter>,
    pub serves: Serves,
}

/// The last filter of a chain.
pub(crate) enum Serves {
    Http(Box<HttpChain>),
    Tcp(Box<TcpProxy>),
}

/// What an HTTP connection manager is made of.
pub(crate) struct HttpChain {
    /// The name of its route table, served with the others.
    pub routes: String,
    pub filters: Vec<HttpFilter>,
    pub access_log: Vec<AccessLog>,
    pub tracing: Option<Tracing>,
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
    /// A scraper.
    Scrape,
}

/// A chain that takes every connection, not encrypted.
pub(crate) fn plain(chain: HttpChain) -> Chain {
    Chain {
        name: String::new(),
        when: FilterChainMatch::default(),
        tls: None,
        filters: Vec::new(),
        serves: Serves::Http(Box::new(chain)),
    }
}

pub(crate) fn listener(parts: Listener) -> Message {
    let side = parts.side;
    let direction = match side {
        Side::Inbound | Side::Edge { .. } => TrafficDirection::Inbound,
        Side::Outbound => TrafficDirection::Outbound,
        Side::Scrape => TrafficDirection::Unspecified,
    };
    // An untrusted peer must not make Envoy hold megabytes a connection (Envoy's edge best practices).
    let buffer_limit = matches!(side, Side::Edge { .. }).then_some(32 * 1024);
    Message {
        name: parts.name,
        address: Some(endpoint::address(parts.host, parts.port)),
        per_connection_buffer_limit_bytes: buffer_limit,
        traffic_direction: direction.into(),
        filter_chains: parts.chains.into_iter().map(|chain| filter_chain(chain, side)).collect(),
        ..Default::default()
    }
}

fn filter_chain(chain: Chain, side: Side) -> FilterChain {
    let last = match chain.serves {
        Serves::Http(http) => {
            network("envoy.filters.network.http_connection_manager", &connection_manager(*http, side))
        }
        Serves::Tcp(proxy) => network("envoy.filters.network.tcp_proxy", &*proxy),
    };
    let always = chain.when == FilterChainMatch::default();
    FilterChain {
        name: chain.name,
        filter_chain_match: (!always).then_some(chain.when),
        filters: chain.filters.into_iter().chain([last]).collect(),
        transport_socket: chain.tls,
        ..Default::default()
    }
}

/// A network filter.
pub(crate) fn network<M: prost::Name>(name: &str, config: &M) -> Filter {
    Filter { name: name.to_owned(), config_type: Some(filter::ConfigType::TypedConfig(envoy::any(config))) }
}

/// Resources of the aggregated stream, which every resource of the mesh comes from.
pub(crate) fn from_control_plane() -> ConfigSource {
    ConfigSource {
        resource_api_version: ApiVersion::V3.into(),
        config_source_specifier: Some(ConfigSourceSpecifier::Ads(AggregatedConfigSource {})),
        ..Default::default()
    }
}

/// Paths are normalised and ambiguous ones refused, so that what filters and routes compare is what the
/// application sees; header names with underscores are refused, because many applications read them as dashes.
fn connection_manager(parts: HttpChain, side: Side) -> HttpConnectionManager {
    let (edge, trusted_hops) = match side {
        Side::Edge { trusted_hops } => (true, trusted_hops),
        _ => (false, 0),
    };
    let websocket = UpgradeConfig { upgrade_type: "websocket".to_owned(), ..Default::default() };
    HttpConnectionManager {
        codec_type: CodecType::Auto.into(),
        stat_prefix: names::http_stat_prefix(&parts.routes),
        http_filters: http_filter::chain(parts.filters),
        common_http_protocol_options: Some(HttpProtocolOptions {
            headers_with_underscores_action: HeadersWithUnderscoresAction::RejectRequest.into(),
            ..Default::default()
        }),
        request_headers_timeout: Some(duration(Duration::from_secs(10))),
        access_log: parts.access_log,
        tracing: parts.tracing,
        upgrade_configs: if side == Side::Scrape { Vec::new() } else { vec![websocket] },
        use_remote_address: edge.then_some(true),
        xff_num_trusted_hops: trusted_hops,
        normalize_path: Some(true),
        merge_slashes: true,
        // Clients outside name whatever port they dialled, and some a final dot; no sidecar knows either.
        strip_port_mode: edge.then_some(StripPortMode::StripAnyHostPort(true)),
        strip_trailing_host_dot: edge,
        path_with_escaped_slashes_action: PathWithEscapedSlashesAction::RejectRequest.into(),
        route_specifier: Some(RouteSpecifier::Rds(Rds {
            config_source: Some(from_control_plane()),
            route_config_name: parts.routes,
        })),
        ..Default::default()
    }
}
