//! Tells where everything outside the mesh can be reached.

use spec::mesh::EgressPolicy;
use spec::{Diagnostic, Diagnostics, Mesh, codes};

use super::super::tables::Tables;
use super::everywhere;

pub(super) fn check(mesh: &Mesh, _: &Tables, diagnostics: &mut Diagnostics) {
    for egress in everywhere::egresses(mesh) {
        if egress.policy.value == EgressPolicy::AllowAll {
            diagnostics.push(
                Diagnostic::of(codes::OPEN_EGRESS, egress.policy.span, "everything outside the mesh can be reached")
                    .label("an application that is taken over can send data anywhere")
                    .help("say `egress \"listed\"` and name the hosts that are needed"),
            );
        }
    }
}
