//! Who stands in must be somebody else, each once.

use spec::mesh::{Failover, Service};
use spec::{Diagnostic, Diagnostics, Mesh, codes};

use super::super::tables::Tables;
use super::protocols;

pub(super) fn check(mesh: &Mesh, tables: &Tables, diagnostics: &mut Diagnostics) {
    let place = |failover: &Failover| {
        let service = protocols::service(mesh, tables, &failover.service.value);
        let subset = failover.subset.as_ref().or(service.and_then(|service| service.default_subset.as_ref()));
        (failover.service.value.key(), subset.map(|subset| subset.value.clone()))
    };
    for service in &mesh.services {
        for (index, failover) in service.failover.iter().enumerate() {
            let (before, here) = (service.failover.iter().take(index), place(failover));
            if here == own(service) {
                let message = format!("`{}` stands in for itself", service.name.value);
                diagnostics.push(
                    Diagnostic::of(codes::FAILOVER_TO_SELF, failover.service.span, message)
                        .label("these are the endpoints that are not healthy")
                        .related(service.name.span, "the service")
                        .help("name another service, or another subset"),
                );
            } else if let Some(first) = before.into_iter().find(|other| place(other) == here) {
                let message = format!("`{}` stands in twice", failover.service.value);
                diagnostics.push(
                    Diagnostic::of(codes::FAILOVER_TO_SELF, failover.service.span, message)
                        .label("the second time has no effect")
                        .related(first.service.span, "the first time")
                        .help("delete one of them"),
                );
            }
        }
    }
}

fn own(service: &Service) -> (String, Option<String>) {
    (service.name.value.key(), service.default_subset.as_ref().map(|subset| subset.value.clone()))
}
