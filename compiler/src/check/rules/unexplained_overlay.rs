//! Tells where an overlay does not say why it is needed.

use spec::{Diagnostic, Diagnostics, Mesh, codes};

use super::super::tables::Tables;
use super::everywhere;

pub(super) fn check(mesh: &Mesh, _: &Tables, diagnostics: &mut Diagnostics) {
    for overlay in everywhere::overlays(mesh) {
        if overlay.reason.as_ref().is_none_or(|reason| reason.value.trim().is_empty()) {
            diagnostics.push(
                Diagnostic::of(
                    codes::UNEXPLAINED_OVERLAY,
                    overlay.target.span,
                    "this overlay does not say why it is needed",
                )
                .label("whoever comes next cannot tell whether it may go")
                .help("add `reason=\"…\"`"),
            );
        }
    }
}
