//! What an overlay makes of the configuration is something that Envoy takes.

use spec::{Diagnostic, Diagnostics, Mesh, codes};

use super::rules::everywhere;
use crate::checked::CheckedMesh;
use crate::lower::overlay;

/// Merges them all for every proxy: what is wrong with the result is told here, for lowering cannot fail.
pub(super) fn check(mesh: &Mesh, checked: &CheckedMesh, diagnostics: &mut Diagnostics) {
    if everywhere::overlays(mesh).next().is_none() {
        return;
    }
    for (span, reason) in overlay::problems(checked) {
        diagnostics.push(
            Diagnostic::error(codes::INVALID_OVERLAY, span, "this overlay cannot be merged")
                .label(spec::diagnostic::quote(&reason))
                .help("look at the result of `compile` without it: what is said here is merged into that"),
        );
    }
}
