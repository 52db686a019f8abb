//! Turns a mesh into exact Envoy v3 configuration for each node, as a pure function.
//!
//! ```text
//! Mesh ── annotation::apply ──▶ Mesh ── check ──▶ CheckedMesh ── lower ──▶ NodeConfig ── emit ──▶ text
//! ```

pub mod annotation;
pub mod check;
pub mod checked;
pub mod emit;
mod envoy;
mod fault_engine;
mod header_routing;
pub mod import;
pub mod lower;
pub mod observation;
pub mod pending;
pub mod report;
pub mod snapshot;
mod suggest;
mod two_pass;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use check::check;
pub use checked::{CheckedMesh, Proxy};
pub use lower::lower;

/// The wasm module of our filters, as the configuration refers to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WasmModule {
    /// Lower-case hexadecimal digest of the module's bytes.
    pub sha256: String,
    /// Folder in which Envoy finds `<sha256>.wasm`; relative to Envoy's working directory, or absolute.
    pub folder: String,
}

impl WasmModule {
    /// Where Envoy reads the module.
    pub fn path(&self) -> String {
        format!("{}/{}.wasm", self.folder.trim_end_matches('/'), self.sha256)
    }
}

/// The modules of the user's own filters that Envoy reads from the folder of ours, by their digest.
pub fn modules(mesh: &CheckedMesh) -> BTreeMap<String, Arc<[u8]>> {
    let file = |(digest, bytes): (&str, &Arc<[u8]>)| (digest.to_owned(), Arc::clone(bytes));
    mesh.wasm_files().map(file).collect()
}

/// The file of every Envoy of the mesh: `<name>/envoy.yaml` → text. Same mesh, same bytes.
pub fn compile(mesh: &CheckedMesh, module: &WasmModule) -> BTreeMap<String, String> {
    let shared = lower::Shared::default();
    mesh.proxies()
        .map(|proxy| {
            let path = format!("{}/envoy.yaml", mesh.proxy_name(proxy));
            (path, emit::bootstrap_with(mesh, proxy, module, &shared))
        })
        .collect()
}
