//! Headers that are not for users: the mesh's own are set and removed by it alone, HTTP's and Envoy's must not carry a
//! user's name.

use policy::{HEALTH_CHECK_HEADER, ROUTE_HEADER};
use spec::mesh::HeaderMatch;
use spec::{Diagnostic, Diagnostics, Mesh, Spanned, codes};

use super::super::tables::Tables;
use super::routes;

/// What a message means, or where it goes, depends on these.
const OF_HTTP: &[&str] = &[
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "cookie",
    "expect",
    "forwarded",
    "host",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
    "x-request-id",
];
const PREFIXES: &[&str] = &[":", "x-envoy-", "x-forwarded-", "x-meshwright-"];

pub(super) fn check(mesh: &Mesh, _: &Tables, diagnostics: &mut Diagnostics) {
    let rules = mesh.services.iter().filter_map(|service| service.header_routing.as_ref());
    let by_rules = rules.flat_map(|routing| &routing.rules).flat_map(|rule| &rule.headers);
    for HeaderMatch { name, .. } in routes(mesh).flat_map(|route| route.matches.all_headers()).chain(by_rules) {
        let key = name.value.to_ascii_lowercase();
        if [ROUTE_HEADER, HEALTH_CHECK_HEADER].contains(&key.as_str()) {
            diagnostics.push(refuse(name, "belongs to the mesh").label("it is removed from every request"));
        } else if key.contains('_') {
            diagnostics.push(
                Diagnostic::warning(codes::RESERVED_HEADER, name.span, format!("`{}` never matches", name.value))
                    .label("requests with an underscore in a header name are refused")
                    .help("let callers send it with `-`"),
            );
        }
    }
    let auths = mesh.services.iter().filter_map(|service| service.basic_auth.as_deref());
    let auths = auths.chain(mesh.gateways.iter().filter_map(|gateway| gateway.basic_auth.as_ref()));
    for name in auths.filter_map(|auth| auth.forward_user_header.as_ref()) {
        let key = name.value.to_ascii_lowercase();
        if OF_HTTP.contains(&key.as_str()) || PREFIXES.iter().any(|prefix| key.starts_with(prefix)) {
            diagnostics.push(refuse(name, "cannot carry a user's name").label("HTTP, Envoy or the mesh needs it"));
        }
    }
}

fn refuse(name: &Spanned<String>, why: &str) -> Diagnostic {
    Diagnostic::error(codes::RESERVED_HEADER, name.span, format!("`{}` {why}", name.value))
        .help("choose another header")
}
