//! What callers dial must be one sidecar: an address belongs to one node, and is not the caller's own loopback.

use std::collections::BTreeMap;
use std::net::IpAddr;

use spec::mesh::Mesh;
use spec::{Diagnostic, Diagnostics, Span, codes};

use crate::checked::{CheckedMesh, Id, Node};

/// Runs on what was resolved so far; an endpoint whose node is not known was reported already.
pub(super) fn check(mesh: &Mesh, checked: &CheckedMesh, diagnostics: &mut Diagnostics) {
    // Tasks in bridge mode share the address of their host, and are told apart by its ports.
    let mut owners: BTreeMap<(IpAddr, u16), (Id<Node>, Span)> = BTreeMap::new();
    for (declared, service) in mesh.services.iter().zip(&checked.services) {
        for (declared, endpoint) in declared.endpoints.iter().zip(&service.endpoints) {
            let Some(id) = endpoint.node else { continue };
            let Some(node) = checked.nodes.get(id.index()) else { continue };
            let (host, span) = (endpoint.address.host.to_canonical(), declared.address.span);
            if host.is_loopback() && node.at.bind != Some(host) {
                diagnostics.push(loopback(&node.name, &endpoint.address, span));
                continue;
            }
            let place = (host, endpoint.ingress_port);
            match owners.get(&place) {
                Some((first, _)) if *first == id => {}
                Some((first, place)) => {
                    let others = checked.nodes.get(first.index()).map_or("", |node| node.name.as_str());
                    diagnostics.push(shared(host, node.name.as_str(), others, span, *place));
                }
                None => drop(owners.insert(place, (id, span))),
            }
        }
    }
}

fn loopback(node: &spec::Name, address: &spec::mesh::Address, span: Span) -> Diagnostic {
    let message = format!("callers cannot reach the sidecar of node `{node}` at `{address}`");
    Diagnostic::error(codes::FORBIDDEN_ADDRESS, span, message)
        .label("on loopback every caller would dial itself")
        .help("name the address of the task; where the application listens beside its sidecar, `upstream` says")
}

fn shared(host: IpAddr, node: &str, first: &str, span: Span, place: Span) -> Diagnostic {
    let message = format!("`{host}` is the address of two nodes, `{first}` and `{node}`");
    Diagnostic::error(codes::SHARED_ADDRESS, span, message)
        .label("only one sidecar can listen there")
        .related(place, format!("the other one is node `{first}`"))
        .help("let one node serve both services, or give each task an address of its own")
}
