//! To leave out an endpoint that fails, there must be another one.

use std::collections::BTreeMap;

use spec::mesh::{Callee, OutlierDetection, Service};
use spec::{Diagnostic, Diagnostics, Mesh, Span, codes};

use super::super::tables::Tables;

pub(super) fn check(mesh: &Mesh, tables: &Tables, diagnostics: &mut Diagnostics) {
    let mut said: BTreeMap<usize, Span> = BTreeMap::new();
    for (index, service) in mesh.services.iter().enumerate() {
        // What `defaults` says is meant for others too.
        if let Some(detection) = &service.outlier_detection {
            said.insert(index, place(detection).unwrap_or(service.name.span));
        }
    }
    let calls = mesh.nodes.iter().flat_map(|node| &node.calls);
    for call in calls.chain(mesh.gateways.iter().flat_map(|gateway| &gateway.calls)) {
        let (Callee::Service(name), Some(detection)) = (&call.service.value, &call.outlier_detection) else { continue };
        if let Some(id) = tables.find_service(name) {
            said.entry(id.index()).or_insert(place(detection).unwrap_or(call.service.span));
        }
    }
    for (index, span) in said {
        let Some(service) = mesh.services.get(index) else { continue };
        let Some(only) = only_endpoint(service) else { continue };
        let message = format!("`{}` has one endpoint: there is nothing to leave out", service.name.value);
        diagnostics.push(
            Diagnostic::of(codes::OUTLIER_WITHOUT_CHOICE, span, message)
                .label("this has no effect")
                .related(only, "the only endpoint")
                .help("add a second endpoint or a `failover`, or delete `outlier-detection`"),
        );
    }
}

fn place(detection: &OutlierDetection) -> Option<Span> {
    detection.place.0
}

/// `None` if there are others, or may be: DNS, ECS and Cloud Map tell as many as there are.
fn only_endpoint(service: &Service) -> Option<Span> {
    let discovered = service.dns.is_some() || service.ecs.is_some() || service.cloud_map.is_some();
    match service.endpoints.as_slice() {
        [only] if !discovered && service.failover.is_empty() => Some(only.address.span),
        _ => None,
    }
}
