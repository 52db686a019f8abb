//! What is defined under a name and never named is left over, or misspelt where it should be named.

use std::collections::BTreeSet;

use spec::{Diagnostic, Diagnostics, Mesh, Name, Span, Spanned, codes};

use super::super::tables::Tables;
use super::everywhere::filter_uses;
use super::providers::{self, jwts};
use super::subsets;

pub(super) fn check(mesh: &Mesh, tables: &Tables, diagnostics: &mut Diagnostics) {
    let used = providers::of_certificates(mesh).map(|(name, _)| name.key()).collect();
    let defined = mesh.certificate_providers.iter().map(|provider| &provider.name);
    compare("certificate provider", defined, &used, "`provider=` of a certificate", diagnostics);

    let used = jwts(mesh).flat_map(|jwt| &jwt.providers).map(|name| name.value.key()).collect();
    let defined = mesh.jwt_providers.iter().map(|provider| &provider.name);
    compare("jwt provider", defined, &used, "`jwt provider=`", diagnostics);

    let used = filter_uses(mesh).map(|filter| filter.name.value.key()).collect();
    let defined = mesh.wasm_filters.iter().map(|filter| &filter.name);
    compare("wasm filter", defined, &used, "`filter` of a service, node or gateway", diagnostics);

    let index = |name| tables.find_service(name).map(|id| id.index());
    let used: BTreeSet<(Option<usize>, &str)> =
        subsets::requested(mesh).map(|named| (index(named.service), named.subset.value.as_str())).collect();
    for (id, subset) in subsets::declared(mesh) {
        if !used.contains(&(Some(id), subset.name.value.as_str())) {
            let name = &subset.name;
            diagnostics.push(unused("subset", &name.value, name.span, "`subset=` of a target, or `default-subset`"));
        }
    }
}

fn compare<'a>(
    kind: &str,
    defined: impl Iterator<Item = &'a Spanned<Name>>,
    used: &BTreeSet<String>,
    by: &str,
    diagnostics: &mut Diagnostics,
) {
    for name in defined.filter(|name| !used.contains(&name.value.key())) {
        diagnostics.push(unused(kind, name.value.as_str(), name.span, by));
    }
}

fn unused(kind: &str, name: &str, span: Span, by: &str) -> Diagnostic {
    Diagnostic::of(codes::UNUSED_DEFINITION, span, format!("nothing refers to {kind} `{name}`"))
        .label("it has no effect")
        .help(format!("name it by {by}, or delete it"))
}
