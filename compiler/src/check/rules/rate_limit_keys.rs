//! What a rate limit counts by has a name that can stand in Envoy's format.

use spec::mesh::RateLimitKeySource;
use spec::{Diagnostic, Diagnostics, Mesh, codes, diagnostic};

use super::super::tables::Tables;
use super::everywhere;

pub(super) fn check(mesh: &Mesh, _: &Tables, diagnostics: &mut Diagnostics) {
    for key in everywhere::rate_limits(mesh).flat_map(|limit| &limit.keys) {
        let RateLimitKeySource::Query(name) = &key.source.value else { continue };
        if name.contains(')') {
            let message = format!("nothing is counted by a parameter called `{}`", diagnostic::quote(name));
            diagnostics.push(
                Diagnostic::error(codes::INVALID_VALUE, key.source.span, message)
                    .label("Envoy takes `)` for the end of the name")
                    .help("count by another parameter, or by a header"),
            );
        }
    }
}
