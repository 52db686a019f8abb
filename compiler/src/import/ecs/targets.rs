//! Services to which tasks send requests, and of which nothing runs: they are there, and empty, so that whoever names them
//! does not fall with them.

use std::collections::{BTreeMap, BTreeSet};

use spec::mesh::{EcsDiscovery, HeaderRouting, Mesh, Place, Route, Service};
use spec::{FileId, Name, Spanned};

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
    for name in missing.into_values() {
        let family = Some(Spanned::new(name.value.as_str().to_owned(), name.span));
        let place = Place(Some(name.span));
        let ecs = EcsDiscovery { cluster: None, service: None, family, container: None, port: None, place };
        mesh.services.push(Service { ecs: Some(Box::new(ecs)), ..Service::named(name) });
    }
}

fn named(service: &Service) -> impl Iterator<Item = &Spanned<Name>> {
    let routes = service.routes.iter().flat_map(Route::targets).map(|target| &target.service);
    let mirrors = service.mirrors.iter().map(|mirror| &mirror.to);
    let failover = service.failover.iter().map(|failover| &failover.service);
    let rules = service.header_routing.iter().flat_map(HeaderRouting::targets);
    let asked = service.external_auth.iter().map(|auth| &auth.service);
    routes.chain(mirrors).chain(failover).chain(rules).chain(asked)
}
