//! What an Envoy starts with that asks a control plane for everything else.

use std::net::SocketAddr;

use anyhow::Context as _;
use compiler::CheckedMesh;
use control_plane::Variant;
use serde_json::{Value, json};

use crate::mesh::Compiled;

const CLUSTER: &str = "meshwright-xds";

/// JSON, which is YAML. `id` is the proxy's name, or that and `~` and anything.
pub fn bootstrap(compiled: &Compiled, id: &str, servers: &[SocketAddr], variant: Variant) -> anyhow::Result<String> {
    let name = id.split('~').next().unwrap_or(id);
    let proxy = proxy(&compiled.checked, name).with_context(|| format!("no proxy is called `{name}`"))?;
    let config = compiler::lower(&compiled.checked, proxy, &compiled.module);
    let mut bootstrap: Value = serde_json::from_str(&envoy::to_json(&config.bootstrap))?;
    bootstrap["node"]["id"] = json!(id);
    let endpoints: Vec<Value> = servers
        .iter()
        .map(|server| {
            json!({"endpoint": {"address": {"socket_address": {
                "address": server.ip().to_string(), "port_value": server.port(),
            }}}})
        })
        .collect();
    let cluster = json!({
        "name": CLUSTER,
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": {"cluster_name": CLUSTER, "endpoints": [{"lb_endpoints": endpoints}]},
        "typed_extension_protocol_options": {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
            "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
            "explicit_http_config": {"http2_protocol_options": {
                "connection_keepalive": {"interval": "30s", "timeout": "5s"},
            }},
        }},
    });
    let clusters = &mut bootstrap["static_resources"]["clusters"];
    match clusters.as_array_mut() {
        Some(clusters) => clusters.push(cluster),
        None => *clusters = json!([cluster]),
    }
    let api_type = match variant {
        Variant::StateOfTheWorld => "GRPC",
        Variant::Delta => "DELTA_GRPC",
    };
    let ads = json!({"ads": {}, "resource_api_version": "V3"});
    bootstrap["dynamic_resources"] = json!({
        "ads_config": {
            "api_type": api_type,
            "transport_api_version": "V3",
            "set_node_on_first_message_only": true,
            "grpc_services": [{"envoy_grpc": {
                "cluster_name": CLUSTER,
                "retry_policy": {"retry_back_off": {"base_interval": "0.2s", "max_interval": "5s"}},
            }}],
        },
        "lds_config": ads,
        "cds_config": ads,
    });
    Ok(bootstrap.to_string())
}

fn proxy(mesh: &CheckedMesh, name: &str) -> Option<compiler::Proxy> {
    mesh.proxies().find(|proxy| mesh.proxy_name(*proxy).as_str() == name)
}
