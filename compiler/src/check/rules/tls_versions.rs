//! The oldest version of TLS is not newer than the newest.

use spec::mesh::TlsVersion;
use spec::{Diagnostic, Diagnostics, Mesh, codes};

use super::super::tables::Tables;
use super::everywhere;

pub(super) fn check(mesh: &Mesh, _: &Tables, diagnostics: &mut Diagnostics) {
    for (tls, _) in everywhere::server_tls(mesh) {
        let (Some(oldest), Some(newest)) = (&tls.min_version, &tls.max_version) else { continue };
        if (oldest.value, newest.value) == (TlsVersion::Tls13, TlsVersion::Tls12) {
            diagnostics.push(
                Diagnostic::error(codes::TLS_VERSIONS, oldest.span, "no version of TLS is left")
                    .label("the oldest version that is spoken")
                    .related(newest.span, "the newest one")
                    .help("leave out `max-version`"),
            );
        }
    }
}
