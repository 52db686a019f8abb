//! A sidecar knows the services beside it by their names; a request with another host is answered 404.

use spec::mesh::{HostRewrite, Route, Service};
use spec::{Diagnostic, Diagnostics, Mesh, Span, codes};

use super::super::tables::Tables;
use super::protocols;

pub(super) fn check(mesh: &Mesh, tables: &Tables, diagnostics: &mut Diagnostics) {
    for service in &mesh.services {
        for route in &service.routes {
            let other = |target: &Service| target.name.value.key() != service.name.value.key();
            route_to(mesh, tables, route, other, diagnostics);
        }
    }
    for host in mesh.gateways.iter().flat_map(|gateway| &gateway.hosts) {
        let host_name = host.pattern.value.split(':').next().unwrap_or_default();
        for route in &host.routes {
            let other = |target: &Service| !host_name.eq_ignore_ascii_case(&target.name.value.key());
            route_to(mesh, tables, route, other, diagnostics);
        }
    }
}

/// `other` tells whether requests come with another host than a target's name.
fn route_to(
    mesh: &Mesh,
    tables: &Tables,
    route: &Route,
    other: impl Fn(&Service) -> bool,
    diagnostics: &mut Diagnostics,
) {
    let Some(host) = route.rewrite.as_ref().and_then(|rewrite| rewrite.host.as_ref()) else { return };
    for target in route.targets() {
        let Some(service) = protocols::service(mesh, tables, &target.service.value) else { continue };
        let Some(node) = sidecar(mesh, service) else { continue };
        let unknown = match &host.value {
            HostRewrite::OfService => false,
            HostRewrite::Name(name) => !name.eq_ignore_ascii_case(&service.name.value.key()),
            HostRewrite::Kept => other(service),
            HostRewrite::FromHeader(_) => true,
        };
        if unknown {
            let message = format!("the sidecars of `{}` know it by its name alone", service.name.value);
            diagnostics.push(
                Diagnostic::of(codes::UNKNOWN_HOST, host.span, message)
                    .label("requests with another host are answered 404 there")
                    .related(node, "a sidecar stands here")
                    .help("leave it out: the application finds the first host in `x-forwarded-host`"),
            );
            return;
        }
    }
}

/// Where the mesh says that a service has a sidecar.
fn sidecar(mesh: &Mesh, service: &Service) -> Option<Span> {
    let serves = mesh.nodes.iter().flat_map(|node| &node.serves);
    let mut served = serves.filter(|serve| serve.service.value.key() == service.name.value.key());
    served.next().map(|serve| serve.service.span)
}
