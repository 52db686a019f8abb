//! A check that cannot be made must not count as passed.

use spec::mesh::{FailureMode, Jwt, WasmFailure};
use spec::{Diagnostic, Diagnostics, Mesh, codes};

use super::super::tables::Tables;
use super::everywhere;

pub(super) fn check(mesh: &Mesh, _: &Tables, diagnostics: &mut Diagnostics) {
    let failures = everywhere::external_auths(mesh).filter_map(|auth| auth.failure.as_ref());
    for failure in failures.filter(|failure| failure.value == FailureMode::Open) {
        diagnostics.push(
            Diagnostic::of(codes::FAIL_OPEN, failure.span, "requests pass when nobody answers for them")
                .label("whoever slows down the other server needs no permission")
                .help("say `failure=\"closed\"`, or leave it out"),
        );
    }
    let failures = mesh.wasm_filters.iter().filter_map(|filter| filter.failure.as_ref());
    for failure in failures.filter(|failure| failure.value == WasmFailure::Open) {
        diagnostics.push(
            Diagnostic::of(codes::FAIL_OPEN, failure.span, "requests pass the filter by when it fails")
                .label("one request that makes it fail opens the way for all others")
                .help("say `failure=\"reload\"`, or leave it out: the filter is back within about a second"),
        );
    }
    optional_tokens(mesh, diagnostics);
}

/// Tokens that may be left out are fine where something else decides.
fn optional_tokens(mesh: &Mesh, diagnostics: &mut Diagnostics) {
    let services = mesh.services.iter().filter(|it| {
        let authorized = it.authorization.is_some() || mesh.defaults.authorization.is_some();
        !authorized
            && it.basic_auth.is_none()
            && it.api_key.is_none()
            && it.hmac_signature.is_none()
            && it.external_auth.is_none()
    });
    let gateways = mesh.gateways.iter().filter(|it| {
        let authorized = it.authorization.is_some() || mesh.defaults.authorization.is_some();
        !authorized
            && it.basic_auth.is_none()
            && it.api_key.is_none()
            && it.hmac_signature.is_none()
            && it.external_auth.is_none()
    });
    let jwts = services.filter_map(|it| it.jwt.as_ref()).chain(gateways.filter_map(|it| it.jwt.as_ref()));
    for optional in jwts.filter_map(|jwt: &Jwt| jwt.optional.as_ref()).filter(|optional| optional.value) {
        diagnostics.push(
            Diagnostic::note(codes::FAIL_OPEN, optional.span, "requests without a token pass")
                .label("nothing else decides about them here")
                .help("say in `authorization` what they may do, or leave `optional` out"),
        );
    }
}
