//! A gateway that leads nowhere answers 404 to everything.

use spec::{Diagnostic, Diagnostics, Mesh, codes};

use super::super::tables::Tables;

pub(super) fn check(mesh: &Mesh, _: &Tables, diagnostics: &mut Diagnostics) {
    for gateway in &mesh.gateways {
        let calls_nothing = gateway.calls.is_empty();
        if calls_nothing
            && gateway.hosts.is_empty()
            && gateway.listen.iter().all(|listener| listener.targets.is_empty())
        {
            let message = format!("gateway `{}` leads nowhere", gateway.name.value);
            diagnostics.push(
                Diagnostic::warning(codes::EMPTY_BLOCK, gateway.name.span, message)
                    .label("every request gets 404")
                    .help("add `calls \"SERVICE\"`, or `host \"NAME\" { to \"SERVICE\" }`"),
            );
        }
    }
}
