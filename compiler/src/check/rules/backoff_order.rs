//! The wait before a try grows: its last bound is not below the first one. Envoy refuses anything else.

use spec::{Diagnostic, Diagnostics, Mesh, codes};

use super::super::tables::Tables;
use super::everywhere;

pub(super) fn check(mesh: &Mesh, _: &Tables, diagnostics: &mut Diagnostics) {
    for backoff in everywhere::retries(mesh).filter_map(|retry| retry.backoff.as_ref()) {
        let Some(max) = backoff.max.as_ref().filter(|max| max.value < backoff.base.value) else { continue };
        diagnostics.push(
            Diagnostic::error(codes::INVALID_VALUE, max.span, "the last bound of the wait is below the first one")
                .label("the wait grows")
                .related(backoff.base.span, "the first bound")
                .help("make `max` at least as long as `base`, or leave it out: it is ten times as long then"),
        );
    }
}
