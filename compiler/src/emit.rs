//! Text of what was lowered.

mod inline;

use ::envoy::to_yaml;
pub use inline::inline;

use crate::checked::{CheckedMesh, Proxy};
use crate::lower::Shared;
use crate::{WasmModule, lower};

/// A proxy's bootstrap as YAML that `envoy -c` reads: everything in one file.
pub fn bootstrap(mesh: &CheckedMesh, proxy: Proxy, module: &WasmModule) -> String {
    bootstrap_with(mesh, proxy, module, &Shared::default())
}

/// As [`bootstrap`]; what several proxies have in common is made once for all that share `shared`.
pub fn bootstrap_with(mesh: &CheckedMesh, proxy: Proxy, module: &WasmModule, shared: &Shared) -> String {
    let kind = match proxy {
        Proxy::Node(_) => "node",
        Proxy::Gateway(_) => "gateway",
    };
    let yaml = to_yaml(&inline(&lower::lower_with(mesh, proxy, module, shared)));
    format!("# Envoy 1.40 bootstrap of {kind} {}, compiled by Meshwright. Do not edit.\n{yaml}", mesh.proxy_name(proxy))
}
