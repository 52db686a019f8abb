//! The filters' wasm module, as compiled configuration refers to it.

use compiler::{CheckedMesh, WasmModule};

/// Folder, beside the nodes' folders, in which compiled output keeps wasm modules.
pub const FOLDER: &str = "filters";

/// Our module, found by Envoy in `folder`.
pub fn in_folder(folder: &str) -> WasmModule {
    WasmModule { sha256: artifacts::MODULE_SHA256.to_owned(), folder: folder.to_owned() }
}

/// Path of the module within compiled output.
pub fn output_path() -> String {
    in_folder(FOLDER).path()
}

/// The modules of the mesh's own wasm filters, by their path within compiled output.
pub fn of_the_user(mesh: &CheckedMesh) -> impl Iterator<Item = (String, Vec<u8>)> {
    let path = |sha256| WasmModule { sha256, folder: FOLDER.to_owned() }.path();
    compiler::modules(mesh).into_iter().map(move |(sha256, bytes)| (path(sha256), bytes.to_vec()))
}
