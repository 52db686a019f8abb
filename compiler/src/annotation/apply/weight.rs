//! Writes weights: the narrower place wins, and callers and sidecar agree.

use std::collections::{BTreeMap, BTreeSet, btree_map};

use spec::mesh::{Endpoint, Mesh};
use spec::{Diagnostics, Span, Spanned};

use super::super::collect::{Said, Subject};
use super::super::serving::{Position, Serving};
use super::conflict;

pub(super) fn write(mesh: &mut Mesh, said: &BTreeMap<Subject, Said>, diagnostics: &mut Diagnostics) {
    let weight = |subject| said.get(&subject).and_then(|said| said.settings.weight);
    let serving = Serving::of(mesh);
    for (service_index, service) in mesh.services.iter_mut().enumerate() {
        let of_service = weight(Subject::Service(service_index));
        for (index, endpoint) in service.endpoints.iter_mut().enumerate() {
            if let Some(own) = weight(Subject::Endpoint { service: service_index, endpoint: index }) {
                let whose = format!("endpoint `{}` of service `{}`", endpoint.address.value, service.name.value);
                write_own(endpoint, own, &whose, diagnostics);
            }
            let of_serve = serving.endpoint(&service.name, endpoint).and_then(|at| weight(Subject::Serve(at)));
            endpoint.weight = endpoint.weight.or(of_serve).or(of_service);
        }
    }
    for (node_index, node) in mesh.nodes.iter_mut().enumerate() {
        for (serve_index, serve) in node.serves.iter_mut().enumerate() {
            let at = Position { node: node_index, serve: serve_index };
            for (index, upstream) in serve.upstreams.iter_mut().enumerate() {
                if let Some(own) = weight(Subject::Upstream { at, upstream: index }) {
                    let (address, node) = (&upstream.address.value, &node.name.value);
                    let whose = format!("endpoint `{address}` of service `{}` of node `{node}`", serve.service.value);
                    write_own(upstream, own, &whose, diagnostics);
                }
                upstream.weight = upstream.weight.or(weight(Subject::Serve(at)));
            }
        }
    }
    let annotated = said.values().filter_map(|said| said.settings.weight).map(|weight| weight.span).collect();
    agree(mesh, &serving, &annotated);
}

fn write_own(endpoint: &mut Endpoint, said: Spanned<u32>, whose: &str, diagnostics: &mut Diagnostics) {
    match endpoint.weight {
        Some(earlier) if earlier != said => {
            diagnostics.push(conflict("endpoint.weight", whose, said.span, earlier.span));
        }
        Some(_) => {}
        None => endpoint.weight = Some(said),
    }
}

/// What callers dial and what the sidecar dials is the same application where the addresses are the same, or
/// where a node has one of each: then a weight that an annotation says on one side holds on the other.
fn agree(mesh: &mut Mesh, serving: &Serving, annotated: &BTreeSet<Span>) {
    if annotated.is_empty() {
        return;
    }
    let mut dialled: BTreeMap<Position, Vec<&mut Endpoint>> = BTreeMap::new();
    for service in &mut mesh.services {
        for endpoint in &mut service.endpoints {
            if let Some(at) = serving.endpoint(&service.name, endpoint) {
                dialled.entry(at).or_default().push(endpoint);
            }
        }
    }
    let serves = mesh.nodes.iter_mut().enumerate().flat_map(|(node, it)| {
        let serves = it.serves.iter_mut().enumerate();
        serves.map(move |(serve, it)| (Position { node, serve }, &mut it.upstreams))
    });
    for (at, upstreams) in serves {
        let btree_map::Entry::Occupied(mut endpoints) = dialled.entry(at) else { continue };
        match (endpoints.get_mut().as_mut_slice(), upstreams.as_mut_slice()) {
            ([endpoint], [upstream]) => share(endpoint, upstream, annotated),
            (endpoints, upstreams) => share_by_address(endpoints, upstreams, annotated),
        }
    }
}

fn share_by_address(endpoints: &mut [&mut Endpoint], upstreams: &mut [Endpoint], annotated: &BTreeSet<Span>) {
    let mut by_address: BTreeMap<_, _> =
        endpoints.iter_mut().map(|endpoint| (endpoint.address.value.clone(), endpoint)).collect();
    for upstream in upstreams {
        if let Some(endpoint) = by_address.get_mut(&upstream.address.value) {
            share(endpoint, upstream, annotated);
        }
    }
}

fn share(endpoint: &mut Endpoint, upstream: &mut Endpoint, annotated: &BTreeSet<Span>) {
    let by_annotation = |weight: &Spanned<u32>| annotated.contains(&weight.span);
    endpoint.weight = endpoint.weight.or(upstream.weight.filter(by_annotation));
    upstream.weight = upstream.weight.or(endpoint.weight.filter(by_annotation));
}
