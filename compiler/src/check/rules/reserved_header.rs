//! The mesh's own routing header is set by the mesh alone.

use policy::ROUTE_HEADER;
use spec::mesh::HeaderMatch;
use spec::{Diagnostic, Diagnostics, Mesh, Spanned, codes};

use super::super::tables::Tables;
use super::routes;

pub(super) fn check(mesh: &Mesh, _: &Tables, diagnostics: &mut Diagnostics) {
    let rules = mesh.services.iter().filter_map(|service| service.header_routing.as_ref());
    let by_rules = rules.flat_map(|routing| &routing.rules).flat_map(|rule| &rule.headers);
    let matched = routes(mesh).flat_map(|route| &route.headers).chain(by_rules).map(|HeaderMatch { name, .. }| name);
    let auths = mesh.services.iter().filter_map(|service| service.basic_auth.as_ref());
    let auths = auths.chain(mesh.gateways.iter().filter_map(|gateway| gateway.basic_auth.as_ref()));
    let forwarded = auths.filter_map(|auth| auth.forward_user_header.as_ref());
    for name in matched.chain(forwarded) {
        report(name, diagnostics);
    }
}

fn report(name: &Spanned<String>, diagnostics: &mut Diagnostics) {
    if name.value.eq_ignore_ascii_case(ROUTE_HEADER) {
        diagnostics.push(
            Diagnostic::error(codes::RESERVED_HEADER, name.span, format!("`{ROUTE_HEADER}` belongs to the mesh"))
                .label("it is removed from every request")
                .help("choose another header"),
        );
    }
}
