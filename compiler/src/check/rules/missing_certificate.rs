//! Who accepts encrypted connections has a certificate; who asks for one knows whom to believe.

use std::collections::BTreeSet;

use spec::mesh::{Gateway, TlsMode};
use spec::{Diagnostic, Diagnostics, Mesh, Span, codes};

use super::super::tables::Tables;
use super::everywhere;

pub(super) fn check(mesh: &Mesh, _: &Tables, diagnostics: &mut Diagnostics) {
    let by_host = certified_by_hosts(mesh);
    for (tls, holder) in everywhere::server_tls(mesh) {
        let span = tls.place.0.or(tls.mode.as_ref().map(|mode| mode.span)).unwrap_or(holder);
        if tls.mode.as_ref().is_some_and(|mode| mode.value == TlsMode::Disabled) {
            continue;
        }
        if tls.certificate.is_none() && !by_host.contains(&holder) {
            diagnostics.push(
                Diagnostic::error(
                    codes::MISSING_CERTIFICATE,
                    span,
                    "there is no certificate to accept connections with",
                )
                .label("TLS needs `certificate`")
                .help("add `certificate provider=\"NAME\"`, or `certificate` with `files`"),
            );
        }
        if let Some(client) = tls.client.as_ref().filter(|client| client.trust.is_none()) {
            diagnostics.push(
                Diagnostic::error(
                    codes::MISSING_CERTIFICATE,
                    client.place.0.unwrap_or(span),
                    "callers must show a certificate, and no authority is named",
                )
                .label("any certificate would do, even one that the caller made up")
                .help("add `ca-provider=\"NAME\"` or `ca-file=\"…\"`"),
            );
        }
    }
}

/// Ports of gateways whose hosts all have certificates of their own: whatever host is asked for, there is one to show.
fn certified_by_hosts(mesh: &Mesh) -> BTreeSet<Span> {
    let all_have =
        |gateway: &&Gateway| !gateway.hosts.is_empty() && gateway.hosts.iter().all(|host| host.certificate.is_some());
    let listeners = mesh.gateways.iter().filter(all_have).flat_map(|gateway| &gateway.listen);
    listeners.map(|listener| listener.port.span).collect()
}
