//! Listeners: an address, and the filter chains behind it.

mod inspection;

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use envoy::config::accesslog::v3::AccessLog;
use envoy::config::core::v3::{
    AggregatedConfigSource, ApiVersion, CidrRange, ConfigSource, Http2ProtocolOptions, HttpProtocolOptions,
    TrafficDirection, TransportSocket, config_source::ConfigSourceSpecifier,
    http_protocol_options::HeadersWithUnderscoresAction,
};
use envoy::config::listener::v3::{Filter, FilterChain, FilterChainMatch, Listener as Message, filter};
use envoy::extensions::filters::network::http_connection_manager::v3::{
    HttpConnectionManager, Rds,
    http_connection_manager::{
        CodecType, InternalAddressConfig, PathWithEscapedSlashesAction, RouteSpecifier, StripPortMode, Tracing,
        UpgradeConfig,
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
#[derive(Clone)]
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
    Outbound { tunnels: Tunnels },
    /// The outside world.
    Edge(Edge),
    /// A scraper.
    Scrape,
    /// Anybody, who believes to speak to the application.
    InterceptedInbound,
    /// The application, which believes to speak to others.
    InterceptedOutbound,
}

/// Whether routes may open a tunnel (`CONNECT`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tunnels {
    WhereRoutesSay,
    Never,
}

/// What a gateway says of one of its ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Edge {
    /// How many proxies of ours stand before it.
    pub trusted_hops: u32,
    /// Whether a client's `x-request-id` is for a filter to judge; else it is replaced before any filter.
    pub keeps_request_ids: bool,
    /// Of a stream on which nothing happens; `None`: Envoy's five minutes.
    pub idle_timeout: Option<Duration>,
    pub speaks: Speaks,
}

/// Versions of HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Speaks {
    Any,
    Http2,
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

impl Chain {
    /// A chain that takes every connection, not encrypted, and passes its bytes.
    pub(crate) fn bytes(proxy: TcpProxy) -> Self {
        Self {
            name: String::new(),
            when: FilterChainMatch::default(),
            tls: None,
            filters: Vec::new(),
            serves: Serves::Tcp(Box::new(proxy)),
        }
    }
}

pub(crate) fn listener(parts: Listener) -> Message {
    let side = parts.side;
    let direction = match side {
        Side::Inbound | Side::InterceptedInbound | Side::Edge(_) => TrafficDirection::Inbound,
        Side::Outbound { .. } | Side::InterceptedOutbound => TrafficDirection::Outbound,
        Side::Scrape => TrafficDirection::Unspecified,
    };
    // An untrusted peer must not make Envoy hold megabytes a connection (Envoy's edge best practices).
    let buffer_limit = matches!(side, Side::Edge(_)).then_some(32 * 1024);
    let looks = inspection::of(&parts.chains, side);
    Message {
        stat_prefix: names::listener_stat_prefix(&parts.name),
        name: parts.name,
        address: Some(endpoint::address(parts.host, parts.port)),
        per_connection_buffer_limit_bytes: buffer_limit,
        traffic_direction: direction.into(),
        filter_chains: parts.chains.into_iter().map(|chain| filter_chain(chain, side)).collect(),
        listener_filters: looks.filters,
        listener_filters_timeout: looks.timeout.map(duration),
        continue_on_listener_filters_timeout: looks.timeout.is_some(),
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

/// Connections to exactly these addresses.
pub(crate) fn prefix_ranges(addresses: &BTreeSet<IpAddr>) -> Vec<CidrRange> {
    let bits = |address: &IpAddr| if address.is_ipv4() { 32 } else { 128 };
    let range = |address: &IpAddr| CidrRange { address_prefix: address.to_string(), prefix_len: Some(bits(address)) };
    addresses.iter().map(range).collect()
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
    let edge = match side {
        Side::Edge(edge) => Some(edge),
        _ => None,
    };
    let is_edge = edge.is_some();
    let upgrade_configs = upgrades(side, &parts.filters);
    HttpConnectionManager {
        codec_type: match edge.map(|edge| edge.speaks) {
            Some(Speaks::Http2) => CodecType::Http2,
            Some(Speaks::Any) | None => CodecType::Auto,
        }
        .into(),
        stat_prefix: names::http_stat_prefix(&parts.routes),
        http_filters: http_filter::chain(parts.filters),
        common_http_protocol_options: Some(HttpProtocolOptions {
            headers_with_underscores_action: HeadersWithUnderscoresAction::RejectRequest.into(),
            ..Default::default()
        }),
        http2_protocol_options: is_edge.then(edge_limits),
        stream_idle_timeout: edge.and_then(|edge| edge.idle_timeout).map(duration),
        request_headers_timeout: Some(duration(Duration::from_secs(10))),
        access_log: parts.access_log,
        tracing: parts.tracing,
        upgrade_configs,
        use_remote_address: is_edge.then_some(true),
        xff_num_trusted_hops: believed(side),
        preserve_external_request_id: edge.is_some_and(|edge| edge.keeps_request_ids),
        internal_address_config: is_edge.then(nobody_is_internal),
        normalize_path: Some(true),
        merge_slashes: true,
        // Clients outside name whatever port they dialled, and some a final dot; no sidecar knows either.
        strip_port_mode: is_edge.then_some(StripPortMode::StripAnyHostPort(true)),
        strip_trailing_host_dot: is_edge,
        path_with_escaped_slashes_action: PathWithEscapedSlashesAction::RejectRequest.into(),
        route_specifier: Some(RouteSpecifier::Rds(Rds {
            config_source: Some(from_control_plane()),
            route_config_name: parts.routes,
        })),
        ..Default::default()
    }
}

/// How much of `x-forwarded-for` tells whom requests come from.
///
/// With `use_remote_address`, at an edge, 0 is the connection's other end. Without it, 0 is the last entry, whoever wrote it:
/// whoever dials a sidecar would choose the address that filters judge. Only more entries than fit into a request to skip
/// leave the connection's other end there. What an application sends is its own word anyway.
fn believed(side: Side) -> u32 {
    match side {
        Side::Edge(edge) => edge.trusted_hops,
        Side::Inbound | Side::InterceptedInbound => u32::MAX,
        Side::Outbound { .. } | Side::InterceptedOutbound | Side::Scrape => 0,
    }
}

/// Envoys steer each other by `x-envoy-…` headers, which are taken away from whoever is not internal: here that is
/// everybody. An empty list would mean the private networks; nobody calls from the address that is none.
fn nobody_is_internal() -> InternalAddressConfig {
    let none = CidrRange { address_prefix: Ipv4Addr::UNSPECIFIED.to_string(), prefix_len: Some(32) };
    InternalAddressConfig { cidr_ranges: vec![none], ..Default::default() }
}

/// What one connection from outside may hold
/// (<https://www.envoyproxy.io/docs/envoy/v1.40.0/configuration/best_practices/edge>).
fn edge_limits() -> Http2ProtocolOptions {
    Http2ProtocolOptions {
        max_concurrent_streams: Some(100),
        initial_stream_window_size: Some(64 * 1024),
        initial_connection_window_size: Some(1024 * 1024),
        ..Default::default()
    }
}

fn upgrades(side: Side, filters: &[HttpFilter]) -> Vec<UpgradeConfig> {
    let filters = http_filter::chain_of_upgrades(filters);
    let websocket = UpgradeConfig { upgrade_type: "websocket".to_owned(), filters, ..Default::default() };
    let connect = UpgradeConfig { upgrade_type: "CONNECT".to_owned(), enabled: Some(false), ..Default::default() };
    match side {
        Side::Scrape => Vec::new(),
        Side::Outbound { tunnels: Tunnels::WhereRoutesSay } => vec![websocket, connect],
        _ => vec![websocket],
    }
}
