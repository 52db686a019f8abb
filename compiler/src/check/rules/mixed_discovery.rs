//! A service's endpoints come from one place: a cluster has one kind of discovery.

use spec::mesh::Service;
use spec::{Diagnostic, Diagnostics, Mesh, Span, codes};

use super::super::tables::Tables;

pub(super) fn check(mesh: &Mesh, _: &Tables, diagnostics: &mut Diagnostics) {
    for service in &mesh.services {
        if let Some(((first, one), (second, other))) = two_ways(service) {
            let message = format!("`{}` has {first} and {second}", service.name.value);
            diagnostics.push(
                Diagnostic::error(codes::MIXED_DISCOVERY, other, message)
                    .label("these exclude each other")
                    .related(one, "the other way is here")
                    .help("keep one; a second service can have the other, with `failover` or a split between them"),
            );
        }
        let Some(ecs) = &service.ecs else { continue };
        if ecs.service.is_none() && ecs.family.is_none() {
            let message = format!("which tasks are endpoints of `{}` is not said", service.name.value);
            diagnostics.push(
                Diagnostic::error(codes::MIXED_DISCOVERY, ecs.place.0.unwrap_or(service.name.span), message)
                    .label("every task of the cluster would be one")
                    .help("add `service=\"…\"`, the ECS service, or `family=\"…\"`, the task definition family"),
            );
        }
    }
}

type Way = (&'static str, Span);

fn two_ways(service: &Service) -> Option<(Way, Way)> {
    let dns = service.dns.as_ref().map(|dns| ("`dns`", dns.address.span));
    let ecs = service.ecs.as_ref().map(|ecs| ("`ecs`", ecs.place.0.unwrap_or(service.name.span)));
    let cloud_map = service.cloud_map.as_ref().map(|it| ("`cloud-map`", it.namespace.span));
    let said = service.endpoints.first().map(|endpoint| ("an `endpoint`", endpoint.address.span));
    let found = ecs.or(cloud_map);
    dns.zip(found.or(said)).or(ecs.zip(cloud_map))
}
