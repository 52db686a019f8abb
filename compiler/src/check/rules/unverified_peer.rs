//! Encryption to whoever answers is not encryption to the service.

use spec::mesh::TlsMode;
use spec::{Diagnostic, Diagnostics, Mesh, codes};

use super::super::tables::Tables;
use super::everywhere;

pub(super) fn check(mesh: &Mesh, _: &Tables, diagnostics: &mut Diagnostics) {
    for (tls, holder) in everywhere::client_tls(mesh) {
        let disabled = tls.mode.as_ref().is_some_and(|mode| mode.value == TlsMode::Disabled);
        if disabled || tls.server.as_ref().is_some_and(|server| server.trust.is_some()) {
            continue;
        }
        let validation = tls.server.as_ref().and_then(|server| server.place.0);
        let span = validation.or(tls.place.0).or(tls.mode.as_ref().map(|mode| mode.span)).unwrap_or(holder);
        diagnostics.push(
            Diagnostic::of(codes::UNVERIFIED_PEER, span, "the server's certificate is not checked")
                .label("any certificate is taken, whoever made it")
                .help("add `server` with `ca-provider=\"NAME\"` or `ca-file=\"…\"`"),
        );
    }
}
