//! What is said of a fault must be what one engine can do.

use spec::mesh::{Engine, Fault};
use spec::{Diagnostic, Diagnostics, Mesh, codes};

use super::super::tables::Tables;
use super::everywhere;
use crate::fault_engine::{only_native, only_ours, only_ours_chooses};

pub(super) fn check(mesh: &Mesh, _: &Tables, diagnostics: &mut Diagnostics) {
    for (fault, _) in everywhere::faults(mesh) {
        of_engine(fault, diagnostics);
        of_responses(fault, diagnostics);
    }
}

fn of_engine(fault: &Fault, diagnostics: &mut Diagnostics) {
    let native = fault.engine.as_ref().filter(|engine| engine.value == Engine::Native);
    let regex = only_native(fault);
    for (what, span) in only_ours(fault) {
        let mismatch = |label| {
            Diagnostic::error(codes::ENGINE_MISMATCH, span, format!("Envoy's own fault filter has no `{what}`"))
                .label(label)
        };
        if let Some(native) = native {
            diagnostics.push(
                mismatch("only our filter does this")
                    .related(native.span, "Envoy's own is chosen here")
                    .help("leave out `engine`, or this"),
            );
        } else if let Some((_, regex)) = regex {
            diagnostics.push(
                mismatch("only our filter does this")
                    .related(regex, "only Envoy's own compares with a regular expression")
                    .help("compare with `exact`, `prefix`, `suffix` or `contains`"),
            );
        }
    }
}

/// Whatever else delays and aborts, Envoy's own filter slows responses down, of the requests that it knows to choose.
fn of_responses(fault: &Fault, diagnostics: &mut Diagnostics) {
    let Some(limit) = &fault.response_rate_limit else { return };
    // Else it was found already.
    let native = fault.engine.as_ref().is_some_and(|engine| engine.value == Engine::Native);
    if native || only_native(fault).is_some() {
        return;
    }
    for (what, span) in only_ours_chooses(fault) {
        let message = format!("`{what}` cannot choose whose responses are slow");
        diagnostics.push(
            Diagnostic::error(codes::ENGINE_MISMATCH, span, message)
                .related(limit.kib_per_second.span, "Envoy's own filter does this, and knows nothing of it")
                .help("choose requests by `header`"),
        );
    }
}
