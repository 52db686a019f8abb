//! A `tcp` service has no host names: callers reach it by a port or not at all.

use spec::mesh::{Call, Callee, Node, Protocol, Service};
use spec::{Diagnostic, Diagnostics, Mesh, Span, codes};

use super::super::tables::Tables;
use super::protocols;

pub(super) fn check(mesh: &Mesh, tables: &Tables, diagnostics: &mut Diagnostics) {
    if !mesh.services.iter().any(|service| protocols::of(service) == Protocol::Tcp) {
        return;
    }
    for node in &mesh.nodes {
        for Call { service: callee, local_port, .. } in &node.calls {
            let Callee::Service(name) = &callee.value else { continue };
            let Some(service) = protocols::service(mesh, tables, name) else { continue };
            let reachable = local_port.is_some() || service.port.is_some();
            if protocols::of(service) == Protocol::Tcp && !reachable {
                diagnostics.push(out_of_reach(node, service, callee.span));
            }
        }
    }
}

fn out_of_reach(node: &Node, service: &Service, span: Span) -> Diagnostic {
    let name = &service.name.value;
    let message = format!("node `{}` has no way to reach `{name}`", node.name.value);
    let diagnostic = Diagnostic::error(codes::TCP_NEEDS_PORT, span, message)
        .label("bytes carry no host name by which the sidecar could tell the service")
        .related(service.name.span, "it speaks `tcp` and has no `port`");
    match node.transparent_proxy {
        Some(_) => diagnostic.help("give the service the `port` by which callers dial it"),
        None => diagnostic.help(format!("write `calls \"{name}\" local-port=PORT`")),
    }
}
