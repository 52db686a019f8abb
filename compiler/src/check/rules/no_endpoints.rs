//! A service that someone reaches must run somewhere.

use std::collections::BTreeSet;

use spec::mesh::{Call, HeaderRouting, Route, Service, Target};
use spec::{Diagnostic, Diagnostics, Mesh, Name, Spanned, codes};

use super::super::tables::Tables;

/// Callers by name are served by routes too, as are requests that a gateway sends to one target alone; any other target
/// is the service's own endpoints. `calls "*"` names no service in
/// particular: what it reaches without endpoints is only worth a warning.
pub(super) fn check(mesh: &Mesh, tables: &Tables, diagnostics: &mut Diagnostics) {
    if !mesh.services.iter().any(runs_nowhere) {
        return;
    }
    let listed = mesh.nodes.iter().map(|node| &node.calls).chain(mesh.gateways.iter().map(|gateway| &gateway.calls));
    let listed = listed.flat_map(|calls| Call::listed(calls));
    let rules = mesh.services.iter().filter_map(|service| service.header_routing.as_ref());
    let by_header = rules.flat_map(HeaderRouting::targets).map(|name| (name.as_ref(), Reached::AsTarget));
    let reached = targets(mesh).chain(by_header).chain(listed.map(|name| (name, Reached::ByName)));
    let mut reported = BTreeSet::new();
    for (name, reached) in reached {
        let Some(id) = tables.find_service(name.value) else { continue };
        let Some(service) = mesh.services.get(id.index()) else { continue };
        let served_by_routes = reached == Reached::ByName && !service.routes.is_empty();
        if runs_nowhere(service) && !served_by_routes && reported.insert(id) {
            diagnostics.push(
                Diagnostic::error(codes::NO_ENDPOINTS, service.name.span, format!("`{}` runs nowhere", name.value))
                    .label("it has no endpoint")
                    .related(name.span, "requests go to it from here")
                    .help("add `endpoint \"ADDRESS:PORT\"`"),
            );
        }
    }
    for (index, service) in mesh.services.iter().enumerate() {
        let known = tables.find_service(&service.name.value).is_some_and(|id| id.index() == index);
        let silent = tables.find_service(&service.name.value).is_some_and(|id| !reported.contains(&id));
        if known && silent && runs_nowhere(service) && service.routes.is_empty() {
            let message = format!("`{}` runs nowhere: its callers get 503", service.name.value);
            diagnostics.push(
                Diagnostic::warning(codes::NO_ENDPOINTS, service.name.span, message)
                    .label("it has no endpoint")
                    .help("add `endpoint \"ADDRESS:PORT\"`, or delete the service"),
            );
        }
    }
}

fn targets(mesh: &Mesh) -> impl Iterator<Item = (Spanned<&Name>, Reached)> {
    let inside = mesh.services.iter().flat_map(|service| &service.routes).flat_map(Route::targets);
    let listeners = mesh.gateways.iter().flat_map(|gateway| &gateway.listen).flat_map(|listener| &listener.targets);
    let hosts = mesh.gateways.iter().flat_map(|gateway| &gateway.hosts);
    let outside = hosts.flat_map(|host| host.routes.iter().map(Route::targets).chain([host.targets.as_slice()]));
    let outside = outside.flat_map(|split| {
        let reached = if split.len() == 1 { Reached::ByName } else { Reached::AsTarget };
        split.iter().map(move |target| (target, reached))
    });
    let as_targets = inside.chain(listeners).map(|target| (target, Reached::AsTarget));
    as_targets.chain(outside).map(|(target, reached): (&Target, Reached)| (target.service.as_ref(), reached))
}

/// Neither said nor discovered.
fn runs_nowhere(service: &Service) -> bool {
    let discovered = service.dns.is_some() || service.ecs.is_some() || service.cloud_map.is_some();
    service.endpoints.is_empty() && !discovered
}

/// How requests come to a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reached {
    /// Its routes apply, then its endpoints.
    ByName,
    /// Its endpoints only.
    AsTarget,
}
