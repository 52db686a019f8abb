//! Faults, the user's own filters and overlays.

use spec::mesh::{self, FilterPosition, OverlaySource, WasmConfiguration, WasmFailure, WasmModuleSource};
use spec::{Diagnostics, Spanned, load};

use super::{Context, value, values};
use crate::check::{credentials, wasm_module};
use crate::checked::{self, FaultCallers, FilterUse, Id, Module, Overlay};

/// Callers that do not exist are a rule's to report.
pub(super) fn fault(context: &Context<'_>, said: &mesh::Fault) -> checked::Fault {
    let callers = |callers: &mesh::FaultCallers| FaultCallers {
        from: callers.from.iter().filter_map(|name| context.tables.find_service(&name.value)).collect(),
        identities: values(&callers.from_identity),
        networks: values(&callers.source),
    };
    let control = said.header_control.as_ref();
    checked::Fault {
        said: said.clone(),
        callers: said.callers.as_ref().map(callers),
        controllers: control.and_then(|control| control.callers.as_ref()).map(callers),
    }
}

/// A file that was not read was reported when it was named.
pub(super) fn wasm_filter(
    context: &Context<'_>,
    declared: &mesh::WasmFilter,
    diagnostics: &mut Diagnostics,
) -> checked::WasmFilter {
    let module = match &declared.module.value {
        WasmModuleSource::File(path) => {
            let named_by = context.sources.file(declared.module.span.file).map_or("", |file| file.name.as_str());
            let path = load::resolved(named_by, path);
            let bytes = context.sources.bytes(&path).cloned();
            let sha256 = bytes.as_deref().map(wasm_module::sha256).unwrap_or_default();
            if let Some(bytes) = &bytes {
                wasm_module::check(declared, bytes, &sha256, diagnostics);
            }
            Module::File { path, bytes: bytes.unwrap_or_else(|| Vec::new().into()), sha256 }
        }
        WasmModuleSource::Url(url) => {
            Module::Url { url: url.clone(), sha256: value(&declared.sha256).unwrap_or_default().to_ascii_lowercase() }
        }
    };
    let configuration = match &declared.configuration {
        Some(Spanned { value: WasmConfiguration::Text(text), .. }) => text.clone(),
        Some(Spanned { value: WasmConfiguration::File(path), span }) => {
            credentials::text(Spanned::new(path, *span), context.sources).unwrap_or_default()
        }
        None => String::new(),
    };
    checked::WasmFilter {
        name: declared.name.value.clone(),
        module,
        root_id: value(&declared.root_id).unwrap_or_default(),
        configuration,
        failure: value(&declared.failure).unwrap_or(WasmFailure::Reload),
    }
}

/// A filter that does not exist is a rule's to report.
pub(super) fn filter_uses(context: &Context<'_>, declared: &[mesh::FilterUse]) -> Vec<FilterUse> {
    let known = &context.mesh.wasm_filters;
    let resolve = |said: &mesh::FilterUse| {
        let place = known.iter().position(|it| it.name.value.key() == said.name.value.key())?;
        Some(FilterUse {
            filter: Id::new(place),
            at: value(&said.at).unwrap_or(FilterPosition::Inbound),
            configuration: value(&said.configuration),
        })
    };
    declared.iter().filter_map(resolve).collect()
}

/// Text that is no JSON is a rule's to report.
pub(super) fn overlays(context: &Context<'_>, declared: &[mesh::Overlay]) -> Vec<Overlay> {
    let resolve = |said: &mesh::Overlay| {
        let text = match &said.source.value {
            OverlaySource::Json(text) => Some(text.clone()),
            OverlaySource::File(path) => credentials::text(Spanned::new(path, said.source.span), context.sources),
        };
        let json = serde_json::from_str(&text?).ok()?;
        Some(Overlay { target: said.target.value, name: value(&said.name), json, span: said.source.span })
    };
    declared.iter().filter_map(resolve).collect()
}
