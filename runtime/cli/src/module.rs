//! The filters' wasm module, as compiled configuration refers to it.

use compiler::WasmModule;

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
