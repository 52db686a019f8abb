//! Envoy's configuration: one listener for each configuration of each table.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use policy::testdata::Table;
use serde_json::{Value, json};

pub(crate) fn listener_name(root_id: &str, config: &str) -> String {
    format!("{root_id}/{config}")
}

/// Writes the module into the folder, and returns the bootstrap that loads it.
pub(crate) fn bootstrap(tables: &[Table], upstream: SocketAddr, folder: &Path) -> Value {
    let module = folder.join("meshwright.wasm");
    fs::write(&module, artifacts::MODULE).expect("the folder is writable");
    let mut listeners = Vec::new();
    for table in tables {
        for (name, config) in &table.configs {
            let filter = wasm_filter(table.root_id, config, &module);
            listeners.push(listener(&listener_name(table.root_id, name), filter));
        }
    }
    json!({
        "admin": { "address": address("127.0.0.1", 0) },
        "static_resources": {
            "listeners": listeners,
            "clusters": [{
                "name": "echo",
                "connect_timeout": "5s",
                "load_assignment": {
                    "cluster_name": "echo",
                    "endpoints": [{ "lb_endpoints": [{
                        "endpoint": { "address": address("127.0.0.1", upstream.port()) },
                    }] }],
                },
            }],
        },
    })
}

fn listener(name: &str, filter: Value) -> Value {
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
        "name": name,
        "address": address("127.0.0.1", 0),
        "filter_chains": [{ "filters": [{
            "name": "envoy.filters.network.http_connection_manager",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
                "stat_prefix": "test",
                "local_reply_config": {
                    "mappers": [{ "filter": every_status, "headers_to_add": [details] }],
                },
                "http_filters": [filter, {
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

fn wasm_filter(root_id: &str, config: &str, module: &Path) -> Value {
    json!({
        "name": "meshwright",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
            "config": {
                "name": "meshwright",
                "root_id": root_id,
                "failure_policy": "FAIL_RELOAD",
                "configuration": {
                    "@type": "type.googleapis.com/google.protobuf.StringValue",
                    "value": config,
                },
                "vm_config": {
                    "vm_id": format!("meshwright-{}", artifacts::MODULE_SHA256),
                    "runtime": "envoy.wasm.runtime.v8",
                    "code": { "local": { "filename": module } },
                },
            },
        },
    })
}

fn address(host: &str, port: u16) -> Value {
    json!({ "socket_address": { "address": host, "port_value": port } })
}
