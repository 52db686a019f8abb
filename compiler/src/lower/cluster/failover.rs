//! Services that stand in for another one: an aggregate cluster under the usual name, its own endpoints beside it.
//!
//! What the services that stand in say of their own failover does not count here, so that circles cannot be.

use std::sync::Arc;

use ::envoy::config::route::v3::Route as Message;

use super::{Terms, own};
use crate::checked::Destination;
use crate::envoy::cluster::aggregate::{Aggregate, aggregate, host_of_the_endpoint};
use crate::envoy::names;
use crate::lower::Parts;
use crate::lower::scope::Scope;

/// A destination whose service has a failover.
pub(super) fn lower(scope: &Scope<'_>, destination: Destination, parts: &mut Parts) {
    let service = scope.mesh.service(destination.service);
    let mut members: Vec<String> = Vec::new();
    for member in std::iter::once(destination).chain(service.failover.iter().copied()) {
        let name = names::own_endpoints(scope.mesh, member);
        // Envoy would ask the same endpoints twice.
        if !members.contains(&name) {
            own(scope, member, parts);
            members.push(name);
        }
    }
    let name = names::destination(scope.mesh, destination);
    parts.cluster(Arc::new(aggregate(Aggregate {
        stat_name: names::aggregate_stat_name(&name),
        name,
        members,
        protocol: service.protocol,
        limits: Terms::of(scope, destination.service).limits(),
        pool: service.connection_pool.as_ref(),
    })));
}

/// Which service answers is not known when the route is chosen, and each one's sidecar expects its own name.
pub(in crate::lower) fn on_route(scope: &Scope<'_>, destinations: &[Destination], route: &mut Message) {
    if destinations.iter().any(|to| !scope.mesh.service(to.service).failover.is_empty()) {
        host_of_the_endpoint(route);
    }
}
