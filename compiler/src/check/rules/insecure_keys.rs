//! Keys that decide whom to believe come over a connection that nobody can change.

use spec::mesh::JwtKeys;
use spec::{Diagnostic, Diagnostics, Mesh, Name, codes};

use super::super::tables::Tables;

pub(super) fn check(mesh: &Mesh, tables: &Tables, diagnostics: &mut Diagnostics) {
    for provider in &mesh.jwt_providers {
        let JwtKeys::Url(url) = &provider.keys.value else { continue };
        let Some(rest) = url.strip_prefix("http://") else { continue };
        let host = rest.split(['/', '?', '#', ':']).next().unwrap_or("");
        // Within the mesh, the mesh says how connections are made.
        if Name::new(host).is_some_and(|name| tables.find_service(&name).is_some()) {
            continue;
        }
        let message = format!("the keys of `{}` are fetched without encryption", provider.name.value);
        diagnostics.push(
            Diagnostic::of(codes::INSECURE_KEYS, provider.keys.span, message)
                .label("whoever changes the answer can sign tokens that are believed")
                .help("write `https://`, or put the keys beside the mesh and name them with `jwks-file`"),
        );
    }
}
