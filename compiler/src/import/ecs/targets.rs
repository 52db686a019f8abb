//! Services that somebody refers to, and of which nothing runs: they are there, and empty, so that whoever names them does
//! not fall with them.

use std::collections::{BTreeMap, BTreeSet};

use spec::mesh::{Entry, HeaderRouting, Mesh, Protocol, Route, Service, Subset};
use spec::{FileId, Name, Spanned};

use super::assemble::by_family;
use crate::check;

/// Names of services that stand in `observation`.
pub(crate) fn add_missing(mesh: &mut Mesh, observation: FileId) {
    let known: BTreeSet<String> = mesh.services.iter().map(|service| service.name.value.key()).collect();
    let mut missing: BTreeMap<String, Spanned<Name>> = BTreeMap::new();
    for service in &mesh.services {
        for name in named(service).filter(|name| name.span.file == observation) {
            if !known.contains(&name.value.key()) {
                missing.entry(name.value.key()).or_insert_with(|| name.clone());
            }
        }
    }
    add(mesh, missing.into_values().collect());
}

/// They come and go with their tasks. They speak what those who send them requests take them to speak.
pub(crate) fn add(mesh: &mut Mesh, absent: Vec<Spanned<Name>>) {
    let protocols = expected(mesh);
    let mut subsets: BTreeMap<String, BTreeMap<&str, &Spanned<String>>> = BTreeMap::new();
    for (service, subset) in check::named_subsets(mesh) {
        subsets.entry(service.key()).or_default().entry(&subset.value).or_insert(subset);
    }
    let added = absent.into_iter().map(|name| {
        let key = name.value.key();
        let ecs = Some(Box::new(by_family(name.value.as_str(), name.span)));
        let protocol = protocols.get(&key).map(|protocol| Spanned::new(*protocol, name.span));
        let subsets = subsets.get(&key).into_iter().flat_map(BTreeMap::values).map(|name| subset(name)).collect();
        Service { ecs, protocol, subsets, ..Service::named(name) }
    });
    let added: Vec<Service> = added.collect();
    mesh.services.extend(added);
}

/// By key: connections of a `tcp` listener of a gateway, and what a service of the mesh passes on.
fn expected(mesh: &Mesh) -> BTreeMap<String, Protocol> {
    let mut expected = BTreeMap::new();
    for target in mesh.gateways.iter().flat_map(|gateway| &gateway.listen).flat_map(|listener| &listener.targets) {
        expected.insert(target.service.value.key(), Protocol::Tcp);
    }
    for service in &mesh.services {
        let Some(protocol) = service.protocol else { continue };
        for name in named(service) {
            expected.entry(name.value.key()).or_insert(protocol.value);
        }
    }
    expected
}

/// Of no endpoints, any label chooses none.
fn subset(name: &Spanned<String>) -> Subset {
    let label = Entry { key: Spanned::new("subset".to_owned(), name.span), value: name.clone() };
    Subset { name: name.clone(), labels: vec![label] }
}

fn named(service: &Service) -> impl Iterator<Item = &Spanned<Name>> {
    let routes = service.routes.iter().flat_map(Route::targets).map(|target| &target.service);
    let of_routes = service.routes.iter().flat_map(|route| &route.mirrors);
    let mirrors = service.mirrors.iter().chain(of_routes).map(|mirror| &mirror.to);
    let failover = service.failover.iter().map(|failover| &failover.service);
    let rules = service.header_routing.iter().flat_map(HeaderRouting::targets);
    let asked = service.external_auth.iter().map(|auth| &auth.service);
    routes.chain(mirrors).chain(failover).chain(rules).chain(asked)
}
