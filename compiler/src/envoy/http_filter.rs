//! HTTP filters in the order in which Envoy runs them.

use std::time::Duration;

use envoy::config::core::v3::{AsyncDataSource, DataSource, async_data_source, data_source};
use envoy::config::route::v3::HeaderMatcher;
use envoy::extensions::filters::http::health_check::v3::HealthCheck;
use envoy::extensions::filters::http::router::v3::Router;
use envoy::extensions::filters::http::wasm::v3::Wasm;
use envoy::extensions::filters::network::http_connection_manager::v3::{HttpFilter as Message, http_filter};
use envoy::extensions::wasm::v3::{FailurePolicy, PluginConfig, VmConfig, plugin_config};
use policy::{
    BASIC_AUTH_ROOT_ID, BasicAuthConfig, FAULT_ROOT_ID, FaultConfig, HEADER_ROUTING_ROOT_ID, HEALTH_CHECK_HEADER,
    HeaderRoutingConfig,
};

use super::duration;
use super::route::{authority_is, header_is_there, method_is, path_is};
use crate::WasmModule;

/// One filter of a chain. The order of the variants *is* the order of the chain: health checks are answered
/// before anything else, authentication runs before anything that spends work, the router is last.
pub(crate) enum HttpFilter {
    HealthCheck(CachedHealthCheck),
    BasicAuth(BasicAuthConfig),
    Fault(FaultConfig),
    HeaderRouting(HeaderRoutingConfig),
    Router,
}

/// Answers the mesh's health checks on `path` of `hosts` from the last result while that is younger than `cache`.
pub(crate) struct CachedHealthCheck {
    pub hosts: Vec<String>,
    pub path: String,
    pub cache: Duration,
}

/// The chain as Envoy reads it: ordered, with the router at its end whatever comes in.
pub(crate) fn chain(mut filters: Vec<HttpFilter>, module: &WasmModule) -> Vec<Message> {
    filters.retain(|filter| !matches!(filter, HttpFilter::Router));
    filters.push(HttpFilter::Router);
    filters.sort_by_key(HttpFilter::rank);
    filters.into_iter().map(|filter| message(filter, module)).collect()
}

impl HttpFilter {
    fn rank(&self) -> u8 {
        match self {
            Self::HealthCheck(_) => 0,
            Self::BasicAuth(_) => 1,
            Self::Fault(_) => 2,
            Self::HeaderRouting(_) => 3,
            Self::Router => 4,
        }
    }
}

fn message(filter: HttpFilter, module: &WasmModule) -> Message {
    match filter {
        HttpFilter::HealthCheck(check) => typed("envoy.filters.http.health_check", &health_check(check)),
        HttpFilter::BasicAuth(config) => wasm(BASIC_AUTH_ROOT_ID, &config, module),
        HttpFilter::Fault(config) => wasm(FAULT_ROOT_ID, &config, module),
        HttpFilter::HeaderRouting(config) => wasm(HEADER_ROUTING_ROOT_ID, &config, module),
        HttpFilter::Router => typed("envoy.filters.http.router", &Router::default()),
    }
}

fn health_check(check: CachedHealthCheck) -> HealthCheck {
    // Only the mesh's own checks: an answer to anybody else's request must not become the cached one.
    let headers: Vec<HeaderMatcher> =
        vec![method_is("GET"), path_is(&check.path), authority_is(&check.hosts), header_is_there(HEALTH_CHECK_HEADER)];
    HealthCheck {
        pass_through_mode: Some(true),
        cache_time: (!check.cache.is_zero()).then(|| duration(check.cache)),
        headers,
        ..Default::default()
    }
}

/// A root of our module. All roots share one VM: the `vm_id` holds the module's digest, so another module never does.
///
/// `FAIL_RELOAD`: should a filter ever trap, that request gets 503 and the next one a new VM; `FAIL_OPEN` would
/// let requests past authentication, `FAIL_CLOSED` would answer 503 until the next configuration.
fn wasm(root_id: &str, config: &impl serde::Serialize, module: &WasmModule) -> Message {
    let source = DataSource { specifier: Some(data_source::Specifier::Filename(module.path())), ..Default::default() };
    let vm = VmConfig {
        vm_id: format!("meshwright-{}", module.sha256),
        runtime: "envoy.wasm.runtime.v8".to_owned(),
        code: Some(AsyncDataSource { specifier: Some(async_data_source::Specifier::Local(source)) }),
        ..Default::default()
    };
    let plugin = PluginConfig {
        name: root_id.to_owned(),
        root_id: root_id.to_owned(),
        configuration: Some(envoy::any(&json_text(config))),
        failure_policy: FailurePolicy::FailReload.into(),
        vm: Some(plugin_config::Vm::VmConfig(vm)),
        ..Default::default()
    };
    typed(&format!("meshwright.filters.http.{root_id}"), &Wasm { config: Some(plugin) })
}

/// A plugin's configuration as text, so that its bytes and the order of its fields are exactly ours.
fn json_text(config: &impl serde::Serialize) -> String {
    // Our configuration types hold strings, numbers and lists only: writing them cannot fail.
    serde_json::to_string_pretty(config).unwrap_or_default()
}

fn typed<M: prost::Name>(name: &str, config: &M) -> Message {
    Message {
        name: name.to_owned(),
        config_type: Some(http_filter::ConfigType::TypedConfig(envoy::any(config))),
        ..Default::default()
    }
}
