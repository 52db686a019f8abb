//! `envoy.filters.http.wasm`: our own filters, and the user's.

use std::time::Duration;

use envoy::config::core::v3::{
    AsyncDataSource, DataSource, HttpUri, RemoteDataSource, async_data_source, data_source, http_uri::HttpUpstreamType,
};
use envoy::extensions::filters::http::wasm::v3::Wasm;
use envoy::extensions::wasm::v3::{FailurePolicy, PluginConfig, VmConfig, plugin_config};
use policy::{
    API_KEY_ROOT_ID, ApiKeyConfig, BASIC_AUTH_ROOT_ID, BasicAuthConfig, FAULT_ROOT_ID, FaultConfig,
    HEADER_ROUTING_ROOT_ID, HEADERS_ROOT_ID, HMAC_SIGNATURE_ROOT_ID, HeaderRoutingConfig, HeadersConfig,
    HmacSignatureConfig, IP_ACCESS_ROOT_ID, IpAccessConfig, MAINTENANCE_ROOT_ID, MaintenanceConfig, RATE_LIMIT_ROOT_ID,
    REQUEST_ID_ROOT_ID, RateLimitConfig, RequestIdConfig,
};
use spec::mesh::WasmFailure;

use super::{HttpFilter, Rank, typed};
use crate::WasmModule;
use crate::envoy::{duration, names};

/// A module that is fetched has so long to come.
const FETCHED_WITHIN: Duration = Duration::from_secs(10);

pub(crate) fn basic_auth(owner: &str, config: &BasicAuthConfig, module: &WasmModule) -> HttpFilter {
    ours(Rank::BasicAuth, BASIC_AUTH_ROOT_ID, owner, config, module)
}

pub(crate) fn fault(owner: &str, config: &FaultConfig, module: &WasmModule) -> HttpFilter {
    ours(Rank::Fault, FAULT_ROOT_ID, owner, config, module)
}

pub(crate) fn api_key(owner: &str, config: &ApiKeyConfig, module: &WasmModule) -> HttpFilter {
    ours(Rank::ApiKey, API_KEY_ROOT_ID, owner, config, module)
}

pub(crate) fn hmac_signature(owner: &str, config: &HmacSignatureConfig, module: &WasmModule) -> HttpFilter {
    ours(Rank::HmacSignature, HMAC_SIGNATURE_ROOT_ID, owner, config, module)
}

pub(crate) fn header_routing(owner: &str, config: &HeaderRoutingConfig, module: &WasmModule) -> HttpFilter {
    ours(Rank::HeaderRouting, HEADER_ROUTING_ROOT_ID, owner, config, module)
}

/// What the header routing of a service is called in a chain.
pub(crate) fn header_routing_name(owner: &str) -> String {
    names::own_filter(HEADER_ROUTING_ROOT_ID, owner)
}

pub(crate) fn headers(owner: &str, config: &HeadersConfig, module: &WasmModule) -> HttpFilter {
    ours(Rank::Headers, HEADERS_ROOT_ID, owner, config, module)
}

pub(crate) fn maintenance(owner: &str, config: &MaintenanceConfig, module: &WasmModule) -> HttpFilter {
    ours(Rank::Maintenance, MAINTENANCE_ROOT_ID, owner, config, module)
}

pub(crate) fn request_id(owner: &str, config: &RequestIdConfig, module: &WasmModule) -> HttpFilter {
    ours(Rank::RequestId, REQUEST_ID_ROOT_ID, owner, config, module)
}

pub(crate) fn ip_access(owner: &str, config: &IpAccessConfig, module: &WasmModule) -> HttpFilter {
    ours(Rank::IpAccess, IP_ACCESS_ROOT_ID, owner, config, module)
}

pub(crate) fn rate_limit(owner: &str, config: &RateLimitConfig, module: &WasmModule) -> HttpFilter {
    ours(Rank::RateLimit, RATE_LIMIT_ROOT_ID, owner, config, module)
}

/// A root of our module, for one owner: a service, or everybody (`""`). All roots share one VM: the `vm_id` holds the module's digest, so another module never does.
///
/// `FAIL_RELOAD`: should a filter ever trap, that request gets 503 and the next one a new VM; `FAIL_OPEN` would
/// let requests past authentication, `FAIL_CLOSED` would answer 503 until the next configuration.
fn ours(rank: Rank, root_id: &str, owner: &str, config: &impl serde::Serialize, module: &WasmModule) -> HttpFilter {
    let source = DataSource { specifier: Some(data_source::Specifier::Filename(module.path())), ..Default::default() };
    let vm = VmConfig {
        vm_id: format!("meshwright-{}", module.sha256),
        runtime: "envoy.wasm.runtime.v8".to_owned(),
        code: Some(AsyncDataSource { specifier: Some(async_data_source::Specifier::Local(source)) }),
        ..Default::default()
    };
    let plugin = PluginConfig {
        // Envoy gives plugins of one name and one configuration one state: two owners' limits would be one.
        name: if owner.is_empty() { root_id.to_owned() } else { format!("{root_id}.{owner}") },
        root_id: root_id.to_owned(),
        configuration: Some(envoy::any(&json_text(config))),
        failure_policy: FailurePolicy::FailReload.into(),
        vm: Some(plugin_config::Vm::VmConfig(vm)),
        // A signature may be of the body: its filter holds the headers until the body is there.
        allow_on_headers_stop_iteration: (rank == Rank::HmacSignature).then_some(true),
        ..Default::default()
    };
    typed(rank, names::own_filter(root_id, owner), &Wasm { config: Some(plugin) })
}

/// A filter of the user's own.
pub(crate) struct User<'a> {
    pub rank: Rank,
    /// Of the filter in its chain.
    pub name: String,
    /// What statistics and logs call it.
    pub plugin: String,
    pub root_id: &'a str,
    pub configuration: &'a str,
    pub failure: WasmFailure,
    pub sha256: &'a str,
    pub code: Code,
}

/// Where a module is.
#[derive(Clone, Debug)]
pub(crate) enum Code {
    File(String),
    Url { url: String, cluster: String },
}

/// All filters of a module share one VM.
///
/// Envoy's restriction of capabilities is not used: a module can call nothing that it does not import, so a list made
/// of its imports forbids nothing, and one without the callback of requests lets them pass the filter unseen.
pub(crate) fn user(parts: User<'_>) -> HttpFilter {
    let code = match parts.code {
        Code::File(path) => async_data_source::Specifier::Local(DataSource {
            specifier: Some(data_source::Specifier::Filename(path)),
            ..Default::default()
        }),
        Code::Url { url, cluster } => async_data_source::Specifier::Remote(RemoteDataSource {
            http_uri: Some(HttpUri {
                uri: url,
                timeout: Some(duration(FETCHED_WITHIN)),
                http_upstream_type: Some(HttpUpstreamType::Cluster(cluster)),
            }),
            sha256: parts.sha256.to_owned(),
            ..Default::default()
        }),
    };
    let vm = VmConfig {
        vm_id: format!("meshwright-user-{}", parts.sha256),
        runtime: "envoy.wasm.runtime.v8".to_owned(),
        code: Some(AsyncDataSource { specifier: Some(code) }),
        ..Default::default()
    };
    let failure = match parts.failure {
        WasmFailure::Reload => FailurePolicy::FailReload,
        WasmFailure::Closed => FailurePolicy::FailClosed,
        WasmFailure::Open => FailurePolicy::FailOpen,
    };
    let plugin = PluginConfig {
        name: parts.plugin,
        root_id: parts.root_id.to_owned(),
        configuration: Some(envoy::any(&parts.configuration.to_owned())),
        failure_policy: failure.into(),
        vm: Some(plugin_config::Vm::VmConfig(vm)),
        ..Default::default()
    };
    typed(parts.rank, parts.name, &Wasm { config: Some(plugin) })
}

/// A plugin's configuration as text, so that its bytes and the order of its fields are exactly ours.
fn json_text(config: &impl serde::Serialize) -> String {
    // Our configuration types hold strings, numbers and lists only: writing them cannot fail.
    serde_json::to_string_pretty(config).unwrap_or_default()
}
