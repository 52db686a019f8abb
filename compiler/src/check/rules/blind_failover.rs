//! Requests can go elsewhere only when somebody notices that endpoints fail.

use spec::mesh::{Callee, LocalityMode, Service};
use spec::{Diagnostic, Diagnostics, Mesh, Span, codes};

use super::super::tables::Tables;

pub(super) fn check(mesh: &Mesh, tables: &Tables, diagnostics: &mut Diagnostics) {
    let defaults = &mesh.defaults;
    if defaults.health_check.is_some() || defaults.outlier_detection.is_some() {
        return;
    }
    let calls = mesh.nodes.iter().flat_map(|node| &node.calls);
    let calls = calls.chain(mesh.gateways.iter().flat_map(|gateway| &gateway.calls));
    let noticing = calls.filter(|call| call.outlier_detection.is_some()).filter_map(|call| match &call.service.value {
        Callee::Service(name) => tables.find_service(name).map(|id| id.index()),
        Callee::All => None,
    });
    let noticed: std::collections::BTreeSet<usize> = noticing.collect();
    for (index, service) in mesh.services.iter().enumerate() {
        let blind = service.health_check.is_none() && service.outlier_detection.is_none() && !noticed.contains(&index);
        let Some((span, what)) = prefers(service).filter(|_| blind) else { continue };
        let message = format!("nobody notices when endpoints of `{}` fail", service.name.value);
        diagnostics.push(
            Diagnostic::of(codes::BLIND_FAILOVER, span, message)
                .label(what)
                .related(service.name.span, "the service")
                .help("add a `health-check` or `outlier-detection`"),
        );
    }
}

/// Where it says that some endpoints come after others.
fn prefers(service: &Service) -> Option<(Span, &'static str)> {
    let later = |it: &&spec::mesh::Endpoint| it.priority.as_ref().is_some_and(|priority| priority.value > 0);
    let priority = service.endpoints.iter().find(later).and_then(|endpoint| endpoint.priority.as_ref());
    let locality = service.load_balancing.as_ref().and_then(|balancing| balancing.locality.as_ref());
    let locality = locality.filter(|locality| locality.mode.value == LocalityMode::Failover);
    let failover = service.failover.first().map(|failover| (failover.service.span, "it would never stand in"));
    failover
        .or(priority.map(|priority| (priority.span, "it would never be used")))
        .or(locality.map(|locality| (locality.mode.span, "requests would never leave the nearest endpoints")))
}
