//! Headers that are not for users: the mesh's own are set and removed by it alone, HTTP's and Envoy's must not carry a
//! user's name.

use policy::{DRY_RUN_HEADER, HEALTH_CHECK_HEADER, ROUTE_HEADER};
use spec::mesh::{HeaderMatch, HeaderRouting};
use spec::{Diagnostic, Diagnostics, Mesh, Spanned, codes};

use super::super::tables::Tables;
use super::{everywhere, routes};

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
/// Where a message ends depends on these.
const OF_LENGTH: &[&str] = &["content-length", "transfer-encoding"];
const PREFIXES: &[&str] = &[":", "x-envoy-", "x-forwarded-", "x-meshwright-"];

pub(super) fn check(mesh: &Mesh, _: &Tables, diagnostics: &mut Diagnostics) {
    edits(mesh, diagnostics);
    let rules = mesh.services.iter().filter_map(|service| service.header_routing.as_ref());
    let by_rules = rules.flat_map(HeaderRouting::headers);
    for HeaderMatch { name, .. } in routes(mesh).flat_map(|route| route.matches.all_headers()).chain(by_rules) {
        let key = name.value.to_ascii_lowercase();
        if [ROUTE_HEADER, DRY_RUN_HEADER, HEALTH_CHECK_HEADER].contains(&key.as_str()) {
            diagnostics.push(refuse(name, "belongs to the mesh").label("it is removed from every request"));
        } else if key.contains('_') {
            diagnostics.push(
                Diagnostic::warning(codes::RESERVED_HEADER, name.span, format!("`{}` never matches", name.value))
                    .label("requests with an underscore in a header name are refused")
                    .help("let callers send it with `-`"),
            );
        }
    }
    answers(mesh, diagnostics);
    let auths = mesh.services.iter().filter_map(|service| service.basic_auth.as_deref());
    let auths = auths.chain(mesh.gateways.iter().filter_map(|gateway| gateway.basic_auth.as_ref()));
    let users = auths.filter_map(|auth| auth.forward_user_header.as_ref()).map(|name| (name, "a user's name"));
    let services = mesh.services.iter().filter_map(|service| service.api_key.as_deref());
    let keys = services.chain(mesh.gateways.iter().filter_map(|gateway| gateway.api_key.as_ref()));
    let clients = keys.filter_map(|key| key.forward_client_header.as_ref()).map(|name| (name, "a client's name"));
    let tokens = mesh.jwt_providers.iter().filter_map(|provider| provider.forward_claims_header.as_ref());
    for (name, what) in users.chain(clients).chain(tokens.map(|name| (name, "claims"))) {
        let key = name.value.to_ascii_lowercase();
        if OF_HTTP.contains(&key.as_str()) || PREFIXES.iter().any(|prefix| key.starts_with(prefix)) {
            diagnostics.push(refuse(name, &format!("cannot carry {what}")).label("HTTP, Envoy or the mesh needs it"));
        }
    }
}

/// Envoy refuses a whole configuration in which `Host` is changed as other headers are.
fn edits(mesh: &Mesh, diagnostics: &mut Diagnostics) {
    for edits in everywhere::header_edits(mesh) {
        let given = || edits.set.iter().chain(&edits.add).map(|header| &header.name);
        for host in given().chain(&edits.remove).filter(|name| name.value.eq_ignore_ascii_case("host")) {
            diagnostics.push(
                Diagnostic::error(
                    codes::RESERVED_HEADER,
                    host.span,
                    format!("`{}` is no header to change", host.value),
                )
                .label("Envoy refuses this")
                .help("write `rewrite host=\"…\"` in the route"),
            );
        }
        for name in given() {
            let key = name.value.to_ascii_lowercase();
            if OF_LENGTH.contains(&key.as_str()) {
                diagnostics.push(refuse(name, "cannot be set").label("where the message ends depends on it"));
            } else if key.starts_with("x-meshwright-") {
                diagnostics.push(refuse(name, "belongs to the mesh").label("others must not set it"));
            }
        }
    }
}

/// What faults set in answers of the proxy's own.
fn answers(mesh: &Mesh, diagnostics: &mut Diagnostics) {
    for (fault, _) in everywhere::faults(mesh) {
        let http = fault.abort.iter().flat_map(|abort| &abort.set);
        let grpc = fault.grpc_abort.iter().flat_map(|abort| &abort.set);
        for header in http.chain(grpc) {
            let key = header.name.value.to_ascii_lowercase();
            if ["connection", "upgrade"].contains(&key.as_str()) || OF_LENGTH.contains(&key.as_str()) {
                let why = "where the message ends depends on it";
                diagnostics.push(refuse(&header.name, "cannot be set").label(why));
            }
        }
    }
}

fn refuse(name: &Spanned<String>, why: &str) -> Diagnostic {
    Diagnostic::error(codes::RESERVED_HEADER, name.span, format!("`{}` {why}", name.value))
        .help("choose another header")
}
