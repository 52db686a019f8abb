//! What is defined under a name is defined once: providers, wasm filters, the subsets of a service.

use std::collections::BTreeMap;

use spec::{Diagnostic, Diagnostics, Mesh, Span, codes};

use super::super::tables::Tables;

pub(super) fn check(mesh: &Mesh, _: &Tables, diagnostics: &mut Diagnostics) {
    let certificates = mesh.certificate_providers.iter().map(|it| (it.name.value.key(), it.name.span));
    once("certificate provider", certificates, diagnostics);
    once("jwt provider", mesh.jwt_providers.iter().map(|it| (it.name.value.key(), it.name.span)), diagnostics);
    once("wasm filter", mesh.wasm_filters.iter().map(|it| (it.name.value.key(), it.name.span)), diagnostics);
    for service in &mesh.services {
        let subsets = service.subsets.iter().map(|subset| (subset.name.value.clone(), subset.name.span));
        once("subset", subsets, diagnostics);
    }
}

fn once(kind: &str, names: impl Iterator<Item = (String, Span)>, diagnostics: &mut Diagnostics) {
    let mut seen: BTreeMap<String, Span> = BTreeMap::new();
    for (name, span) in names {
        if let Some(first) = seen.get(&name) {
            diagnostics.push(
                Diagnostic::error(codes::DUPLICATE_NAME, span, format!("the name `{name}` is taken"))
                    .label(format!("a second {kind} of this name"))
                    .related(*first, "the first one is here")
                    .help("give one of them another name"),
            );
        } else {
            seen.insert(name, span);
        }
    }
}
