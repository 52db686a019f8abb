//! A path is rewritten in one way: Envoy refuses a route that has two.

use spec::{Diagnostic, Diagnostics, Mesh, codes};

use super::super::tables::Tables;
use super::routes;

pub(super) fn check(mesh: &Mesh, _: &Tables, diagnostics: &mut Diagnostics) {
    for rewrite in routes(mesh).filter_map(|route| route.rewrite.as_ref()) {
        let (Some(path), Some(regex)) = (&rewrite.path, &rewrite.regex) else { continue };
        diagnostics.push(
            Diagnostic::error(codes::INVALID_VALUE, regex.pattern.span, "the path is rewritten in two ways")
                .label("Envoy takes one of them")
                .related(path.span, "the other one")
                .help("keep one; a regular expression can replace the whole path too"),
        );
    }
}
