//! Requests cannot go to a service that speaks `tcp`, nor its bytes to one that speaks HTTP.

use spec::mesh::{HeaderRouting, Protocol, Route, Service};
use spec::{Diagnostics, Mesh, Name, Spanned};

use super::super::super::tables::Tables;
use super::super::everywhere::external_auths;
use super::super::protocols;
use super::mismatch;

pub(super) fn check(mesh: &Mesh, tables: &Tables, diagnostics: &mut Diagnostics) {
    let find = |name: &Name| protocols::service(mesh, tables, name);
    let mut http = |name: &Spanned<Name>| {
        if let Some(service) = find(&name.value).filter(|service| speaks_tcp(service)) {
            let message = format!("requests cannot go to `{}`: it speaks `tcp`", service.name.value);
            diagnostics.push(
                mismatch(name.span, message)
                    .label("requests are sent here")
                    .related(service.name.span, "a connection to it is only bytes")
                    .help("send them to a service that speaks `http`, `http2` or `grpc`"),
            );
        }
    };
    for service in mesh.services.iter().filter(|service| !speaks_tcp(service)) {
        to_services(&service.routes).for_each(&mut http);
        service.mirrors.iter().map(|mirror| &mirror.to).for_each(&mut http);
        service.failover.iter().map(|failover| &failover.service).for_each(&mut http);
        service.header_routing.iter().flat_map(HeaderRouting::targets).for_each(&mut http);
    }
    for host in mesh.gateways.iter().flat_map(|gateway| &gateway.hosts) {
        to_services(&host.routes).for_each(&mut http);
        host.targets.iter().map(|target| &target.service).for_each(&mut http);
    }
    external_auths(mesh).map(|auth| &auth.service).for_each(&mut http);

    let mut tcp = |name: &Spanned<Name>| {
        if let Some(service) = find(&name.value).filter(|service| !speaks_tcp(service)) {
            let (name_of, protocol) = (&service.name.value, protocols::word(protocols::of(service)));
            diagnostics.push(
                mismatch(name.span, format!("bytes cannot go to `{name_of}`: it speaks `{protocol}`"))
                    .label("connections of `tcp` are sent here")
                    .related(service.name.span, "its sidecar expects requests")
                    .help("send them to a service with `protocol \"tcp\"`"),
            );
        }
    };
    for service in mesh.services.iter().filter(|service| speaks_tcp(service)) {
        let targets = service.routes.iter().flat_map(Route::targets).map(|target| &target.service);
        targets.for_each(&mut tcp);
        service.failover.iter().map(|failover| &failover.service).for_each(&mut tcp);
    }
    let listeners = mesh.gateways.iter().flat_map(|gateway| &gateway.listen);
    for listener in listeners.filter(|listener| super::gateways::passes_bytes(listener)) {
        listener.targets.iter().map(|target| &target.service).for_each(&mut tcp);
    }
}

fn speaks_tcp(service: &Service) -> bool {
    protocols::of(service) == Protocol::Tcp
}

fn to_services(routes: &[Route]) -> impl Iterator<Item = &Spanned<Name>> {
    let mirrors = routes.iter().flat_map(|route| &route.mirrors).map(|mirror| &mirror.to);
    routes.iter().flat_map(Route::targets).map(|target| &target.service).chain(mirrors)
}
