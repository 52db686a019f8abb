//! A node that serves nothing and calls nothing runs a sidecar for nothing.

use spec::mesh::Node;
use spec::{Diagnostic, Diagnostics, Mesh, codes};

use super::super::tables::Tables;

pub(super) fn check(mesh: &Mesh, _: &Tables, diagnostics: &mut Diagnostics) {
    for node in mesh.nodes.iter().filter(|node| idle(mesh, node)) {
        let message = format!("node `{}` serves nothing and calls nothing", node.name.value);
        diagnostics.push(
            Diagnostic::of(codes::IDLE_NODE, node.name.span, message)
                .label("its sidecar answers 404 to everything")
                .help("add `serves \"SERVICE\"` or `calls \"SERVICE\"`, or delete the node"),
        );
    }
}

/// A sidecar may also be there to watch what leaves the mesh.
fn idle(mesh: &Mesh, node: &Node) -> bool {
    let watches = node.egress.is_some() || (node.transparent_proxy.is_some() && mesh.defaults.egress.is_some());
    node.serves.is_empty() && node.calls.is_empty() && !watches
}
