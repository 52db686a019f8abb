//! The mesh's own health checks are answered before anything else looks at a request.

use spec::mesh::HealthCheckProtocol;

use super::policies::{Chain, Policies};
use crate::envoy::http_filter::health_check;

/// Checks over TCP end at the listener: nothing to answer. Those of gRPC carry their result in a message, which Envoy
/// does not keep: they are passed on to the application.
pub(super) fn lower(policies: &Policies<'_>, chain: &mut Chain) {
    let Some(check) = policies.health_check else { return };
    if matches!(check.protocol, HealthCheckProtocol::Http | HealthCheckProtocol::Http2) {
        let host = (!policies.hosts.is_empty()).then_some(check.host.as_str());
        chain.add_for_all(Some(health_check::cached(host, &check.path, check.cache)));
    }
}
