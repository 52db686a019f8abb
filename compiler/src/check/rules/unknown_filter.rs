//! A wasm filter that is used must be one of the mesh's.

use std::collections::BTreeSet;

use spec::{Diagnostic, Diagnostics, Mesh, codes};

use super::super::tables::Tables;
use super::everywhere::filter_uses;
use crate::suggest::did_you_mean;

pub(super) fn check(mesh: &Mesh, _: &Tables, diagnostics: &mut Diagnostics) {
    let known: BTreeSet<String> = mesh.wasm_filters.iter().map(|filter| filter.name.value.key()).collect();
    for name in filter_uses(mesh).map(|filter| &filter.name) {
        if known.contains(&name.value.key()) {
            continue;
        }
        let message = format!("no wasm filter is called `{}`", name.value);
        let unknown = Diagnostic::error(codes::UNKNOWN_FILTER, name.span, message)
            .label("this name stands for no module")
            .help(format!("say at the top what `wasm-filter \"{}\"` is", name.value));
        let unknown = did_you_mean(unknown, name.value.as_str(), known.iter().map(String::as_str), diagnostics);
        diagnostics.push(unknown);
    }
}
