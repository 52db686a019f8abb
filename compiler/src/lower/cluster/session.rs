//! Cookies that keep a caller at one endpoint of a service.

use ::envoy::config::route::v3::Route as Message;
use spec::mesh::StickyCookie;

use crate::checked::{CheckedMesh, Destination, Id, Service};
use crate::envoy::http_filter::{HttpFilter, session};
use crate::envoy::names;
use crate::lower::scope::Scope;

/// The filter of a proxy that calls `services`: absent when nothing that their routes lead to is sticky.
pub(in crate::lower) fn filter(scope: &Scope<'_>, called: &[Id<Service>]) -> Option<HttpFilter> {
    let of_hosts = scope.gateway().into_iter().flat_map(|gateway| &gateway.hosts).flat_map(|host| &host.routes);
    let outside = of_hosts.flat_map(|route| route.destinations()).map(|to| to.service);
    let mut reached = called.iter().copied().chain(outside).flat_map(|id| with_targets(scope.mesh, id));
    reached.any(|id| cookie(scope.mesh.service(id)).is_some()).then(session::session)
}

/// Of a split, each target keeps its own callers.
pub(in crate::lower) fn on_route(scope: &Scope<'_>, destinations: &[Destination], route: &mut Message) {
    for to in destinations {
        if let Some(cookie) = cookie(scope.mesh.service(to.service)) {
            session::stick(route, &names::destination(scope.mesh, *to), cookie);
        }
    }
}

fn with_targets(mesh: &CheckedMesh, id: Id<Service>) -> impl Iterator<Item = Id<Service>> {
    let service = mesh.service(id);
    let by_route = service.routes.iter().flat_map(|route| route.destinations()).map(|to| to.service);
    let by_header = service.header_routing.iter().flat_map(|rule| &rule.to).map(|target| target.to.service);
    std::iter::once(id).chain(by_route).chain(by_header)
}

fn cookie(service: &Service) -> Option<&StickyCookie> {
    service.load_balancing.as_ref().and_then(|balancing| balancing.sticky_cookie.as_ref())
}
