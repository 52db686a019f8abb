//! Connections of a cluster: `HttpProtocolOptions`, `TcpProtocolOptions`, `UpstreamConnectionOptions`.

use std::collections::BTreeMap;
use std::time::Duration;

use envoy::config::cluster::v3::UpstreamConnectionOptions;
use envoy::config::core::v3::{
    Http1ProtocolOptions, Http2ProtocolOptions, HttpProtocolOptions as CommonOptions, TcpKeepalive as Keepalive,
};
use envoy::extensions::upstreams::http::v3::{
    HttpProtocolOptions,
    http_protocol_options::{ExplicitHttpConfig, UpstreamProtocolOptions, explicit_http_config::ProtocolConfig},
};
use envoy::extensions::upstreams::tcp::v3::TcpProtocolOptions;
use prost_types::Any;
use spec::Spanned;
use spec::mesh::{ConnectionPool, Protocol, TcpKeepalive};

use crate::envoy::duration;

const HTTP: &str = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
const TCP: &str = "envoy.extensions.upstreams.tcp.v3.TcpProtocolOptions";

pub(super) fn connect_timeout(pool: Option<&ConnectionPool>) -> Option<Duration> {
    pool.and_then(|pool| said(&pool.connect_timeout))
}

/// What is spoken, and how long a connection is used; nothing where that is Envoy's default, HTTP/1.1.
pub(super) fn protocol_options(protocol: Protocol, pool: Option<&ConnectionPool>) -> BTreeMap<String, Any> {
    let idle_timeout = pool.and_then(|pool| said(&pool.idle_timeout)).map(duration);
    let (name, options) = match protocol {
        Protocol::Tcp if idle_timeout.is_none() => return BTreeMap::new(),
        Protocol::Tcp => (TCP, envoy::any(&TcpProtocolOptions { idle_timeout })),
        Protocol::Http | Protocol::Http2 | Protocol::Grpc => {
            let common = CommonOptions {
                idle_timeout,
                max_connection_duration: pool.and_then(|pool| said(&pool.max_connection_duration)).map(duration),
                max_requests_per_connection: pool.and_then(|pool| said(&pool.max_requests_per_connection)),
                ..Default::default()
            };
            let common = (common != CommonOptions::default()).then_some(common);
            if protocol == Protocol::Http && common.is_none() {
                return BTreeMap::new();
            }
            let spoken = match protocol {
                Protocol::Http => ProtocolConfig::HttpProtocolOptions(Http1ProtocolOptions::default()),
                _ => ProtocolConfig::Http2ProtocolOptions(Http2ProtocolOptions {
                    max_concurrent_streams: pool.and_then(|pool| said(&pool.max_concurrent_streams)),
                    ..Default::default()
                }),
            };
            let explicit = ExplicitHttpConfig { protocol_config: Some(spoken) };
            let options = HttpProtocolOptions {
                common_http_protocol_options: common,
                upstream_protocol_options: Some(UpstreamProtocolOptions::ExplicitHttpConfig(explicit)),
                ..Default::default()
            };
            (HTTP, envoy::any(&options))
        }
    };
    BTreeMap::from([(name.to_owned(), options)])
}

pub(super) fn connection_options(pool: &ConnectionPool) -> Option<UpstreamConnectionOptions> {
    let keepalive = pool.tcp_keepalive.as_ref().map(keepalive)?;
    Some(UpstreamConnectionOptions { tcp_keepalive: Some(keepalive), ..Default::default() })
}

fn keepalive(declared: &TcpKeepalive) -> Keepalive {
    Keepalive {
        keepalive_probes: said(&declared.probes),
        keepalive_time: said(&declared.time).map(whole_seconds),
        keepalive_interval: said(&declared.interval).map(whole_seconds),
    }
}

/// The system counts in seconds; a part of one is a whole one, because 0 would mean the system's own.
fn whole_seconds(span: Duration) -> u32 {
    let part = u64::from(span.subsec_nanos() > 0);
    u32::try_from(span.as_secs().saturating_add(part)).unwrap_or(u32::MAX)
}

fn said<T: Copy>(field: &Option<Spanned<T>>) -> Option<T> {
    field.as_ref().map(|said| said.value)
}
