//! A subset to which no endpoint belongs: its requests get 503.
//!
//! Endpoints that ECS or Cloud Map tell bring labels that only they know.

use spec::mesh::{Endpoint, Service, Subset};
use spec::{Diagnostic, Diagnostics, Mesh, codes};

use super::super::tables::Tables;

pub(super) fn check(mesh: &Mesh, _: &Tables, diagnostics: &mut Diagnostics) {
    for service in &mesh.services {
        for subset in &service.subsets {
            let Some(label) = why_empty(service, subset) else { continue };
            let message = format!("no endpoint of `{}` belongs to subset `{}`", service.name.value, subset.name.value);
            diagnostics.push(
                Diagnostic::of(codes::EMPTY_SUBSET, subset.name.span, message)
                    .label(label)
                    .related(service.name.span, "the service")
                    .help("give an endpoint all `labels` of the subset, or delete the subset"),
            );
        }
    }
}

fn why_empty(service: &Service, subset: &Subset) -> Option<&'static str> {
    let labelled_by_others = service.ecs.is_some() || service.cloud_map.is_some();
    if labelled_by_others || subset.labels.is_empty() {
        return None;
    }
    if service.dns.is_some() {
        return Some("endpoints that DNS tells have no labels");
    }
    let inhabited = service.endpoints.iter().any(|endpoint| belongs(endpoint, subset));
    (!inhabited && !service.endpoints.is_empty()).then_some("no endpoint has all of its labels")
}

fn belongs(endpoint: &Endpoint, subset: &Subset) -> bool {
    subset.labels.iter().all(|wanted| endpoint.labels.contains(wanted))
}
