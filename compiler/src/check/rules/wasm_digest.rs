//! A module that is fetched is known by its digest.

use spec::mesh::WasmModuleSource;
use spec::{Diagnostic, Diagnostics, Mesh, codes};

use super::super::tables::Tables;

pub(super) fn check(mesh: &Mesh, _: &Tables, diagnostics: &mut Diagnostics) {
    for filter in &mesh.wasm_filters {
        if matches!(filter.module.value, WasmModuleSource::Url(_)) && filter.sha256.is_none() {
            let message = format!("the module of `{}` is fetched without a digest", filter.name.value);
            diagnostics.push(
                Diagnostic::error(codes::WASM_DIGEST, filter.module.span, message)
                    .label("whatever is found there would run in every sidecar")
                    .help("add `sha256`, as `sha256sum FILE` prints it"),
            );
        }
    }
}
