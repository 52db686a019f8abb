//! Text of what was lowered.

use ::envoy::to_yaml;

use crate::checked::{CheckedMesh, Proxy};
use crate::{WasmModule, lower};

/// A proxy's bootstrap as YAML that `envoy -c` reads.
pub fn bootstrap(mesh: &CheckedMesh, proxy: Proxy, module: &WasmModule) -> String {
    let kind = match proxy {
        Proxy::Node(_) => "node",
        Proxy::Gateway(_) => "gateway",
    };
    let yaml = to_yaml(&lower(mesh, proxy, module));
    format!("# Envoy 1.40 bootstrap of {kind} {}, compiled by Meshwright. Do not edit.\n{yaml}", mesh.proxy_name(proxy))
}
