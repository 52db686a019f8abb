//! What was lowered, as files.

pub mod ads;
pub mod compose;
mod connection_managers;
pub(crate) mod delivered;
pub(crate) mod discovered;
mod grpc_bootstrap;
mod inline;
mod secrets;
pub mod task_definition;
pub mod xds_files;

use ::envoy::{to_json, to_yaml};
pub use ads::{Ads, AdsBootstrap, ads_bootstrap};
pub use delivered::Delivery;
pub use grpc_bootstrap::grpc_bootstrap;
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

/// As [`bootstrap`], as JSON.
pub fn bootstrap_json(mesh: &CheckedMesh, proxy: Proxy, module: &WasmModule, shared: &Shared) -> String {
    to_json(&inline(&lower::lower_with(mesh, proxy, module, shared)))
}

/// The files of one proxy that is told by files: the bootstrap under `envoy.yaml`, the rest below `xds/`, in the order
/// in which they must be written. `folder` is where Envoy finds `xds`.
pub fn watched(
    mesh: &CheckedMesh,
    proxy: Proxy,
    module: &WasmModule,
    shared: &Shared,
    folder: &str,
) -> Vec<(String, String)> {
    let config = lower::lower_with(mesh, proxy, module, shared);
    let folder = format!("{folder}/xds");
    let mut files: Vec<(String, String)> =
        xds_files::xds_files(&config, &folder).into_iter().map(|(name, text)| (format!("xds/{name}"), text)).collect();
    files.push(("envoy.yaml".to_owned(), to_yaml(&xds_files::bootstrap(&config, &folder))));
    files
}
