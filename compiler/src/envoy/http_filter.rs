//! HTTP filters in the order in which Envoy runs them.

pub(crate) mod api_key;
pub(crate) mod basic_auth;
pub(crate) mod buffer;
pub(crate) mod cors;
pub(crate) mod external_auth;
pub(crate) mod fault;
pub(crate) mod forwarded;
pub(crate) mod health_check;
pub(crate) mod jwt;
pub(crate) mod rate_limit;
pub(crate) mod rbac;
pub(crate) mod session;
pub(crate) mod single_headers;
pub(crate) mod wasm;

use std::collections::BTreeMap;

use envoy::config::route::v3::FilterConfig;
use envoy::extensions::filters::http::router::v3::Router;
use envoy::extensions::filters::network::http_connection_manager::v3::{HttpFilter as Message, http_filter};
use prost_types::Any;

/// Where a filter stands. The order of the variants *is* the order of the chain: nobody sees where callers say that
/// they come from, health checks are answered before anything else, authentication and authorization run before
/// anything that spends work, the router is last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rank {
    Forwarded,
    HealthCheck,
    RequestId,
    UserFirst,
    IpAccess,
    Cors,
    Maintenance,
    BasicAuth,
    Jwt,
    ApiKey,
    HmacSignature,
    SingleHeaders,
    Noted,
    ExternalAuth,
    Authorization,
    RateLimit,
    Buffer,
    Headers,
    Fault,
    User,
    HeaderRouting,
    Session,
    ForwardProxy,
    Router,
}

/// One filter of a chain.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct HttpFilter {
    rank: Rank,
    message: Message,
}

/// What virtual hosts and routes say of filters, by the filter's name.
pub(crate) type FilterOverrides = BTreeMap<String, Any>;

/// A filter of Envoy's under the name of its instance in the chain.
pub(crate) fn typed<M: prost::Name>(rank: Rank, name: impl Into<String>, config: &M) -> HttpFilter {
    let message = Message {
        name: name.into(),
        config_type: Some(http_filter::ConfigType::TypedConfig(envoy::any(config))),
        ..Default::default()
    };
    HttpFilter { rank, message }
}

/// The chain as Envoy reads it: ordered, with the router at its end.
pub(crate) fn chain(mut filters: Vec<HttpFilter>) -> Vec<Message> {
    filters.push(typed(Rank::Router, "envoy.filters.http.router", &Router::default()));
    filters.sort_by_key(|filter| filter.rank);
    filters.into_iter().map(|filter| filter.message).collect()
}

/// The chain of WebSockets where it differs: their bodies have no end that a buffer could wait for. Empty: the same.
pub(crate) fn chain_of_upgrades(filters: &[HttpFilter]) -> Vec<Message> {
    if filters.iter().all(|filter| filter.rank != Rank::Buffer) {
        return Vec::new();
    }
    chain(filters.iter().filter(|filter| filter.rank != Rank::Buffer).cloned().collect())
}

/// Lets a filter work that is [`disabled`](HttpFilter::disabled) elsewhere.
pub(crate) fn enabled() -> Any {
    envoy::any(&FilterConfig { config: Some(Any::default()), ..Default::default() })
}

/// Keeps a filter from working where a virtual host [`enabled`] it.
pub(crate) fn disabled() -> Any {
    envoy::any(&FilterConfig { disabled: true, ..Default::default() })
}

impl HttpFilter {
    pub(crate) fn name(&self) -> &str {
        &self.message.name
    }

    /// With another configuration.
    pub(crate) fn with(mut self, config: Any) -> Self {
        self.message.config_type = Some(http_filter::ConfigType::TypedConfig(config));
        self
    }

    /// It works only where a virtual host or route says so.
    pub(crate) fn disabled(mut self) -> Self {
        self.message.disabled = true;
        self
    }
}
