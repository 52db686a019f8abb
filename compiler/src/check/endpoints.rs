//! Which sidecar stands before an endpoint, and where that sidecar finds the application.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use spec::mesh::{Address, Endpoint, Mesh, Node, Serve, Service};
use spec::{Diagnostic, Diagnostics, Spanned, codes};

use super::tables::Tables;
use crate::checked::{self, Id, Upstream};
use crate::lower::INGRESS_PORT;

/// Weight of an endpoint that says none.
pub(crate) const DEFAULT_WEIGHT: u32 = 64;

/// The endpoints of a service, in order, each with its node: the one it names, else the one node that serves the service, else,
/// among several, the one that knows the endpoint's address as its own.
pub(super) fn of_service(
    mesh: &Mesh,
    service: &Service,
    tables: &Tables,
    diagnostics: &mut Diagnostics,
) -> Vec<checked::Endpoint> {
    let serving = tables.serving(mesh, &service.name.value);
    let mut endpoints = Vec::with_capacity(service.endpoints.len());
    for endpoint in &service.endpoints {
        let node = match &endpoint.node {
            Some(name) => {
                let id = tables.node(name, diagnostics);
                if id.is_some_and(|id| !serving.iter().any(|(serving, ..)| *serving == id)) {
                    diagnostics.push(foreign(service, endpoint, name));
                }
                id
            }
            None => owner(service, endpoint, &serving, diagnostics),
        };
        let weight = endpoint.weight.as_ref().map_or(DEFAULT_WEIGHT, |weight| weight.value).max(1);
        let home = node.and_then(|id| mesh.nodes.get(id.index()));
        let place = |said: &Option<Spanned<String>>, of_node: Option<&Spanned<String>>| {
            said.as_ref().or(of_node).map(|said| said.value.clone())
        };
        endpoints.push(checked::Endpoint {
            address: endpoint.address.value.clone(),
            weight,
            node,
            ingress_port: endpoint.ingress_port.as_ref().map_or(INGRESS_PORT, |port| port.value),
            priority: endpoint.priority.as_ref().map_or(0, |said| said.value),
            region: place(&endpoint.region, home.and_then(|node| node.region.as_ref())),
            zone: place(&endpoint.zone, home.and_then(|node| node.zone.as_ref())),
            labels: endpoint.labels.clone(),
        });
    }
    endpoints
}

/// Where a node's sidecar finds the application: as said, else on loopback, at the ports of the node's endpoints.
pub(super) fn upstreams(
    node: Id<checked::Node>,
    declared: &Node,
    serve: &Serve,
    service: &checked::Service,
    said_of_it: &Service,
    diagnostics: &mut Diagnostics,
) -> Vec<Upstream> {
    if !serve.upstreams.is_empty() {
        return serve.upstreams.iter().map(said).collect();
    }
    let mut ports: BTreeMap<u16, u32> = BTreeMap::new();
    for endpoint in service.endpoints.iter().filter(|endpoint| endpoint.node == Some(node)) {
        let weight = ports.entry(endpoint.address.port).or_default();
        *weight = weight.saturating_add(endpoint.weight);
    }
    // Whoever finds endpoints finds those of this node too, and knows their port where the mesh does not say it.
    let Service { dns, ecs, cloud_map, .. } = said_of_it;
    let discovered = dns.is_some() || ecs.is_some() || cloud_map.is_some();
    let port = dns.as_ref().map(|dns| dns.address.value.port);
    let said_port = ecs.as_ref().and_then(|ecs| ecs.port).or(cloud_map.as_ref().and_then(|it| it.port));
    if let Some(port) = port.or(said_port.map(|port| port.value)) {
        ports.entry(port).or_insert(DEFAULT_WEIGHT);
    }
    // An endpoint without a node was reported; it may well be the one that is missing here.
    let explained = discovered || service.endpoints.iter().any(|endpoint| endpoint.node.is_none());
    if ports.is_empty() && !explained {
        let message =
            format!("node `{}` serves `{}`, but no endpoint of it is there", declared.name.value, service.name);
        diagnostics.push(
            Diagnostic::error(codes::NO_ENDPOINTS, serve.service.span, message)
                .label("the sidecar cannot tell where the application listens")
                .help(format!("give `{}` an endpoint with `node=\"{}\"`", service.name, declared.name.value))
                .help("or say `upstream \"127.0.0.1:PORT\"` inside `serves`"),
        );
    }
    let host = IpAddr::V4(Ipv4Addr::LOCALHOST);
    ports.into_iter().map(|(port, weight)| Upstream { address: Address { host, port }, weight }).collect()
}

fn said(endpoint: &Endpoint) -> Upstream {
    let weight = endpoint.weight.as_ref().map_or(DEFAULT_WEIGHT, |weight| weight.value).max(1);
    Upstream { address: endpoint.address.value.clone(), weight }
}

fn owner(
    service: &Service,
    endpoint: &Endpoint,
    serving: &[(Id<checked::Node>, &Node, &Serve)],
    diagnostics: &mut Diagnostics,
) -> Option<Id<checked::Node>> {
    match serving {
        [] => return None,
        [(id, ..)] => return Some(*id),
        _ => {}
    }
    let host = endpoint.address.value.host;
    let mut known = serving.iter().filter(|(_, node, serve)| {
        let bound = node.bind.as_ref().is_some_and(|bind| bind.value == host);
        bound || serve.upstreams.iter().any(|upstream| upstream.address.value.host == host)
    });
    if let (Some((id, ..)), None) = (known.next(), known.next()) {
        return Some(*id);
    }
    let names: Vec<String> = serving.iter().map(|(_, node, _)| format!("`{}`", node.name.value)).collect();
    diagnostics.push(
        Diagnostic::error(
            codes::AMBIGUOUS_ENDPOINT,
            endpoint.address.span,
            format!("several nodes serve `{}`: which one has this endpoint?", service.name.value),
        )
        .label("callers must dial the sidecar before it")
        .help(format!("add `node=\"…\"`: one of {}", names.join(", "))),
    );
    None
}

fn foreign(service: &Service, endpoint: &Endpoint, node: &Spanned<spec::Name>) -> Diagnostic {
    let message = format!("node `{}` does not serve `{}`", node.value, service.name.value);
    Diagnostic::error(codes::FOREIGN_ENDPOINT, node.span, message)
        .label("its sidecar would answer 404")
        .related(endpoint.address.span, "the endpoint")
        .help(format!("add `serves \"{}\"` to the node, or drop `node=`", service.name.value))
}
