//! A subset that is named must be one of its service's.

use std::collections::BTreeSet;

use spec::{Diagnostic, Diagnostics, Mesh, codes};

use super::super::tables::Tables;
use super::subsets::{self, Named};
use crate::suggest::did_you_mean;

pub(super) fn check(mesh: &Mesh, tables: &Tables, diagnostics: &mut Diagnostics) {
    let known: BTreeSet<(usize, &str)> = subsets::declared(mesh).map(|(id, it)| (id, it.name.value.as_str())).collect();
    for Named { service, subset } in subsets::named(mesh) {
        let Some(id) = tables.find_service(service).map(|id| id.index()) else { continue };
        let Some(service) = mesh.services.get(id) else { continue };
        if known.contains(&(id, subset.value.as_str())) {
            continue;
        }
        let message = format!("`{}` has no subset `{}`", service.name.value, subset.value);
        let unknown = Diagnostic::error(codes::UNKNOWN_SUBSET, subset.span, message)
            .label("no endpoint is chosen by this name")
            .related(service.name.span, "the service");
        let names: Vec<&str> = service.subsets.iter().map(|subset| subset.name.value.as_str()).collect();
        let unknown = match names.is_empty() {
            true => unknown.help(format!("add `subset \"{}\" {{ labels {{ … }} }}` to the service", subset.value)),
            false => did_you_mean(unknown, &subset.value, names.into_iter(), diagnostics),
        };
        diagnostics.push(unknown);
    }
}
