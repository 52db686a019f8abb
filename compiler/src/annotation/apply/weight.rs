//! Writes weights: the narrower place wins, and callers and sidecar agree.

use std::collections::{BTreeMap, BTreeSet, btree_map};

use spec::mesh::{Endpoint, Mesh};
use spec::{Diagnostics, Span, Spanned};

use super::super::collect::{Said, Subject};
use super::super::serving::{Position, Serving};
use super::conflict;

pub(super) fn write(mesh: &mut Mesh, said: &BTreeMap<Subject, Said>, diagnostics: &mut Diagnostics) {
    let weights: BTreeMap<Subject, Spanned<u32>> =
        said.iter().filter_map(|(subject, said)| Some((*subject, said.settings.weight?))).collect();
    if weights.is_empty() {
        return;
    }
    let serving = Serving::of(mesh);
    let annotated = weights.values().map(|weight| weight.span).collect();
    write_own(mesh, &weights, diagnostics);
    agree(mesh, &serving, &annotated);
    spread(mesh, &serving, &weights);
    agree(mesh, &serving, &annotated);
}

/// What is said on the endpoint itself.
fn write_own(mesh: &mut Mesh, weights: &BTreeMap<Subject, Spanned<u32>>, diagnostics: &mut Diagnostics) {
    for (subject, weight) in weights {
        let endpoint = match *subject {
            Subject::Endpoint { service, endpoint } => {
                mesh.services.get_mut(service).and_then(|service| service.endpoints.get_mut(endpoint))
            }
            Subject::Upstream { at: Position { node, serve }, upstream } => mesh
                .nodes
                .get_mut(node)
                .and_then(|node| node.serves.get_mut(serve))
                .and_then(|serve| serve.upstreams.get_mut(upstream)),
            Subject::Service(_) | Subject::Serve(_) => None,
        };
        let Some(endpoint) = endpoint else { continue };
        match endpoint.weight {
            Some(earlier) if earlier != *weight => {
                let whose = format!("endpoint `{}`", endpoint.address.value);
                diagnostics.push(conflict("endpoint.weight", &whose, weight.span, earlier.span));
            }
            Some(_) => {}
            None => endpoint.weight = Some(*weight),
        }
    }
}

/// What is said of a whole service, or of a service on one node, for endpoints that have no weight yet.
fn spread(mesh: &mut Mesh, serving: &Serving, weights: &BTreeMap<Subject, Spanned<u32>>) {
    let weight = |subject| weights.get(&subject).copied();
    for (index, service) in mesh.services.iter_mut().enumerate() {
        for endpoint in &mut service.endpoints {
            let of_serve = serving.endpoint(&service.name, endpoint).and_then(|at| weight(Subject::Serve(at)));
            endpoint.weight = endpoint.weight.or(of_serve).or(weight(Subject::Service(index)));
        }
    }
    for (node, it) in mesh.nodes.iter_mut().enumerate() {
        for (serve, it) in it.serves.iter_mut().enumerate() {
            let of_serve = weight(Subject::Serve(Position { node, serve }));
            it.upstreams.iter_mut().for_each(|upstream| upstream.weight = upstream.weight.or(of_serve));
        }
    }
}

/// What callers dial and what the sidecar dials is the same application where the addresses are the same, or
/// where a node has one of each: then a weight that an annotation says on one side holds on the other.
fn agree(mesh: &mut Mesh, serving: &Serving, annotated: &BTreeSet<Span>) {
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
