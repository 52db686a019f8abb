//! Tells where connections without encryption are accepted too: meant for a while, easily forgotten.

use spec::mesh::TlsMode;
use spec::{Diagnostic, Diagnostics, Mesh, codes};

use super::super::tables::Tables;
use super::everywhere;

pub(super) fn check(mesh: &Mesh, _: &Tables, diagnostics: &mut Diagnostics) {
    let servers = everywhere::server_tls(mesh).map(|(tls, _)| &tls.mode);
    let clients = everywhere::client_tls(mesh).map(|(tls, _)| &tls.mode);
    for mode in servers.chain(clients).flatten().filter(|mode| mode.value == TlsMode::Permissive) {
        diagnostics.push(
            Diagnostic::of(codes::PERMISSIVE_TLS, mode.span, "connections without encryption pass too")
                .label("for moving services one by one")
                .help("say `mode=\"strict\"` once every caller encrypts"),
        );
    }
}
