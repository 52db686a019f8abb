//! Services that speak bytes: what passes them on.

use ::envoy::extensions::filters::network::tcp_proxy::v3::TcpProxy;

use super::scope::Scope;
use super::{observability, route};
use crate::checked::{Gateway, Id, Listener, Serve, Service};
use crate::envoy::names;
use crate::envoy::tcp_proxy::{Bytes, after_first_bytes, tcp_proxy};

/// From a caller to a service, by the weights of its routes.
pub(super) fn to_service(scope: &Scope<'_>, id: Id<Service>) -> TcpProxy {
    let service = scope.mesh.service(id);
    tcp_proxy(Bytes {
        stat_prefix: names::stat_name(&service.name.key()),
        clusters: route::tcp_clusters(scope, id),
        idle_timeout: service.idle_timeout,
        access_log: observability::access_log(scope),
    })
}

/// From a port of a gateway to its targets. A single one obeys the routes of its own.
pub(super) fn to_targets(scope: &Scope<'_>, gateway: &Gateway, listener: &Listener) -> TcpProxy {
    let clusters = match listener.targets.as_slice() {
        [target] if target.to.subset.is_none() => route::tcp_clusters(scope, target.to.service),
        targets => targets.iter().map(|target| (names::destination(scope.mesh, target.to), target.weight)).collect(),
    };
    let first = listener.targets.first().map(|target| scope.mesh.service(target.to.service));
    tcp_proxy(Bytes {
        stat_prefix: names::stat_name(&names::gateway_listener(gateway, listener.port)),
        clusters,
        idle_timeout: gateway.idle_timeout.or(first.and_then(|service| service.idle_timeout)),
        access_log: observability::access_log(scope),
    })
}

/// From a sidecar to the application beside it.
pub(super) fn to_application(scope: &Scope<'_>, serve: &Serve) -> TcpProxy {
    let service = scope.mesh.service(serve.service);
    let inbound = service.inbound.as_ref().and_then(|inbound| inbound.idle_timeout.as_ref());
    let cluster = names::local_cluster(service);
    let proxy = tcp_proxy(Bytes {
        stat_prefix: names::stat_name(&cluster),
        clusters: vec![(cluster, 1)],
        idle_timeout: inbound.map(|said| said.value).or(service.idle_timeout),
        access_log: observability::access_log(scope),
    });
    match service.authorization {
        Some(_) => after_first_bytes(proxy),
        None => proxy,
    }
}

/// From an intercepting sidecar to a host outside the mesh.
pub(super) fn to_outside(scope: &Scope<'_>, cluster: &str) -> TcpProxy {
    tcp_proxy(Bytes {
        stat_prefix: names::stat_name(cluster),
        clusters: vec![(cluster.to_owned(), 1)],
        idle_timeout: None,
        access_log: observability::access_log(scope),
    })
}
