//! Envoy's configuration: one listener for each plugin.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;

use policy::testdata::Table;
use serde_json::{Value, json};

/// A filter with its configuration, behind a listener of its own.
#[derive(Clone)]
pub(crate) struct Plugin {
    /// The listener's name.
    pub(crate) name: String,
    /// One of [`MODULES`].
    pub(crate) module: &'static str,
    pub(crate) root_id: &'static str,
    pub(crate) config: String,
}

pub(crate) const OURS: &str = "meshwright.wasm";
pub(crate) const SDK: &str = "sdk.wasm";

/// The modules by their names in Envoy's folder.
pub(crate) const MODULES: [(&str, &[u8]); 2] = [(OURS, artifacts::MODULE), (SDK, guest_sdk::MODULE)];

/// The header of every answer that is not the upstream's.
pub(crate) const LOCAL: &str = "x-local";

pub(crate) const ADMIN_PORT: u16 = 9901;

/// Every configuration of every table.
pub(crate) fn plugins(tables: &[Table]) -> Vec<Plugin> {
    let plugin = |root_id, (name, config): (&String, &String)| Plugin {
        name: listener_name(root_id, name),
        module: OURS,
        root_id,
        config: config.clone(),
    };
    tables.iter().flat_map(|table| table.configs.iter().map(move |config| plugin(table.root_id, config))).collect()
}

pub(crate) fn listener_name(root_id: &str, config: &str) -> String {
    format!("{root_id}/{config}")
}

/// The port of the listener of a plugin, by the plugin's place.
pub(crate) fn port(index: usize) -> u16 {
    10_000 + u16::try_from(index).expect("not so many plugins")
}

pub(crate) fn bootstrap(host: Ipv4Addr, plugins: &[Plugin], upstream: SocketAddr, folder: &Path) -> Value {
    let listeners: Vec<Value> = plugins
        .iter()
        .enumerate()
        .map(|(index, plugin)| listener(plugin, &address(host.into(), port(index)), folder))
        .collect();
    json!({
        "admin": { "address": address(host.into(), ADMIN_PORT) },
        "static_resources": {
            "listeners": listeners,
            "clusters": [{
                "name": "echo",
                "connect_timeout": "5s",
                "load_assignment": {
                    "cluster_name": "echo",
                    "endpoints": [{ "lb_endpoints": [{
                        "endpoint": { "address": address(upstream.ip(), upstream.port()) },
                    }] }],
                },
            }],
        },
    })
}

fn listener(plugin: &Plugin, address: &Value, folder: &Path) -> Value {
    let local = json!({ "header": { "key": LOCAL, "value": "true" } });
    let details = json!({ "header": { "key": "x-details", "value": "%RESPONSE_CODE_DETAILS%" } });
    let every_status = json!({ "status_code_filter": { "comparison": {
        "op": "GE",
        "value": { "default_value": 200, "runtime_key": "unused" },
    } } });
    // The upstream hears which route was taken.
    let canary = json!({
        "match": { "prefix": "/", "headers": [{
            "name": policy::ROUTE_HEADER,
            "string_match": { "exact": "canary" },
        }] },
        "route": { "cluster": "echo" },
        "request_headers_to_add": [{ "header": { "key": "x-taken", "value": "canary" } }],
    });
    json!({
        "name": plugin.name,
        "address": address,
        // A client says who it is, see `wire::proxied`.
        "listener_filters": [{
            "name": "envoy.filters.listener.proxy_protocol",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol",
                "allow_requests_without_proxy_protocol": true,
            },
        }],
        "filter_chains": [{ "filters": [{
            "name": "envoy.filters.network.http_connection_manager",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
                "stat_prefix": "test",
                // Whoever asks is inside the mesh, so Envoy lets every header through to the filters.
                "use_remote_address": true,
                "skip_xff_append": true,
                "internal_address_config": { "cidr_ranges": [
                    { "address_prefix": "0.0.0.0", "prefix_len": 0 },
                    { "address_prefix": "::", "prefix_len": 0 },
                ] },
                "forward_client_cert_details": "ALWAYS_FORWARD_ONLY",
                "local_reply_config": {
                    "mappers": [{ "filter": every_status, "headers_to_add": [local, details] }],
                },
                "http_filters": [wasm_filter(plugin, folder), {
                    "name": "envoy.filters.http.router",
                    "typed_config": {
                        "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router",
                    },
                }],
                "route_config": { "virtual_hosts": [{
                    "name": "all",
                    "domains": ["*"],
                    "routes": [canary, { "match": { "prefix": "/" }, "route": { "cluster": "echo" } }],
                }] },
            },
        }] }],
    })
}

fn wasm_filter(plugin: &Plugin, folder: &Path) -> Value {
    json!({
        "name": "tested",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
            "config": {
                // Plugins of one name with one configuration would share what they remember.
                "name": plugin.name,
                "root_id": plugin.root_id,
                "failure_policy": "FAIL_RELOAD",
                "allow_on_headers_stop_iteration": plugin.root_id == "hmac-signature",
                "configuration": {
                    "@type": "type.googleapis.com/google.protobuf.StringValue",
                    "value": plugin.config,
                },
                "vm_config": {
                    "vm_id": plugin.module,
                    "runtime": "envoy.wasm.runtime.v8",
                    "code": { "local": { "filename": folder.join(plugin.module) } },
                },
            },
        },
    })
}

fn address(host: IpAddr, port: u16) -> Value {
    json!({ "socket_address": { "address": host, "port_value": port } })
}
