//! The names of resources and the prefixes of their statistics. Users' dashboards depend on them.

use spec::mesh::HostPort;

use crate::checked::{CheckedMesh, Destination, Gateway, Service};

pub(crate) const INGRESS_LISTENER: &str = "default-ingress";
pub(crate) const EGRESS_LISTENER: &str = "default-egress";
pub(crate) const INTERCEPTED_INGRESS_LISTENER: &str = "transparent-ingress";
pub(crate) const INTERCEPTED_EGRESS_LISTENER: &str = "transparent-egress";
pub(crate) const PROMETHEUS_LISTENER: &str = "prometheus";
pub(crate) const INGRESS_ROUTES: &str = "ingress_route";
pub(crate) const EGRESS_ROUTES: &str = "egress_route";
pub(crate) const INTERCEPTED_EGRESS_ROUTES: &str = "transparent_egress_route";
pub(crate) const PROMETHEUS_ROUTES: &str = "prometheus_route";
pub(crate) const PROMETHEUS_CLUSTER: &str = "prometheus_stats";

/// Every caller of services that prefer zones, by zone. Nobody dials it.
pub(crate) const CALLERS_CLUSTER: &str = "~callers";
/// Hosts outside the mesh that callers name.
pub(crate) const EGRESS_ANYWHERE: &str = "egress:any";
/// The same, for requests that this Envoy encrypts.
pub(crate) const EGRESS_ENCRYPTED_ANYWHERE: &str = "egress-tls:any";
/// Wherever an intercepted connection was going.
pub(crate) const EGRESS_ORIGINAL: &str = "egress:original";
/// Names outside the mesh and their addresses.
pub(crate) const EGRESS_NAMES: &str = "egress";

/// Set to 100 at Envoy's administration, it turns every fault of that Envoy off: `runtime_modify?meshwright.faults.off=100`.
pub(crate) const FAULTS_OFF_RUNTIME_KEY: &str = "meshwright.faults.off";

/// Begins the name of every cluster from a sidecar to its application.
pub(crate) const LOCAL_PREFIX: &str = "local_";

/// Towards a service, from outside its nodes.
pub(crate) fn cluster(service: &Service) -> String {
    service.name.key()
}

/// Towards a service or a subset of it, from outside its nodes. A target that says no subset means the default one.
pub(crate) fn destination(mesh: &CheckedMesh, to: Destination) -> String {
    let service = mesh.service(to.service);
    match to.subset.or(service.default_subset).and_then(|subset| service.subsets.get(subset)) {
        Some(subset) => format!("{}/{}", cluster(service), subset.name),
        None => cluster(service),
    }
}

/// The endpoints of a service or subset alone, where its usual name stands for them and those of its failover. No name
/// of a service or subset has a `~`.
pub(crate) fn own_endpoints(mesh: &CheckedMesh, to: Destination) -> String {
    let usual = destination(mesh, to);
    if mesh.service(to.service).failover.is_empty() { usual } else { format!("{usual}~own") }
}

/// Of a cluster that chooses among others: requests are counted where they go.
pub(crate) fn aggregate_stat_name(cluster: &str) -> String {
    stat_name(&format!("{cluster}~failover"))
}

/// From a node's sidecar to the application beside it.
pub(crate) fn local_cluster(service: &Service) -> String {
    format!("{LOCAL_PREFIX}{}", service.name.key())
}

/// A port of a gateway; the only one has the gateway's name alone.
pub(crate) fn gateway_listener(gateway: &Gateway, port: u16) -> String {
    let name = gateway.name.key();
    if gateway.listen.len() == 1 { format!("gateway-{name}") } else { format!("gateway-{name}-{port}") }
}

/// The route table of a gateway's port.
pub(crate) fn gateway_routes(gateway: &Gateway, port: u16) -> String {
    if gateway.listen.len() == 1 { INGRESS_ROUTES.to_owned() } else { format!("{INGRESS_ROUTES}_{port}") }
}

/// A further route table, beside `base`, of services of which this is the first.
pub(crate) fn further_routes(base: &str, service: &Service) -> String {
    format!("{base}_{}", stat_name(&service.name.key()))
}

/// A port of the application's own for one service.
pub(crate) fn local_listener(service: &Service) -> String {
    format!("local-{}", service.name.key())
}

/// The route table of a [`local_listener`].
pub(crate) fn local_routes(service: &Service) -> String {
    format!("local_route_{}", stat_name(&service.name.key()))
}

/// Intercepted requests to the applications that listen on this port.
pub(crate) fn intercepted_routes(port: u16) -> String {
    format!("transparent_ingress_route_{port}")
}

/// A host outside the mesh; services' names have no colon.
pub(crate) fn egress_cluster(host: &str, port: u16) -> String {
    format!("egress:{host}:{port}")
}

/// The same, for requests that this Envoy encrypts.
pub(crate) fn encrypted_egress_cluster(host: &str, port: u16) -> String {
    format!("egress-tls:{host}:{port}")
}

/// Prefix of a listener's statistics.
pub(crate) fn listener_stat_prefix(listener: &str) -> String {
    stat_name(listener)
}

/// Prefix of a connection manager's statistics, made of the name of its routes.
pub(crate) fn http_stat_prefix(routes: &str) -> String {
    format!("{routes}_http")
}

pub(crate) fn virtual_host(host: &str) -> String {
    format!("vhost_{host}")
}

/// A cluster's name in statistics: Envoy cuts `envoy_cluster_name` at the first dot, so there is none.
pub(crate) fn stat_name(cluster: &str) -> String {
    cluster.replace(['.', ':'], "_")
}

/// A certificate and its key that stand in files.
pub(crate) fn certificate(chain: &str, key: &str) -> String {
    format!("certificate:{chain}:{key}")
}

/// Authorities that stand in a file.
pub(crate) fn authorities(path: &str) -> String {
    format!("authorities:{path}")
}

/// An SDS server of this machine.
pub(crate) fn secret_socket(path: &str) -> String {
    format!("secrets:{path}")
}

/// An SDS server elsewhere.
pub(crate) fn secret_address(at: &HostPort) -> String {
    format!("secrets:{at}")
}

/// An instance of one of Envoy's HTTP filters, for one service; for a gateway, which has one, without the owner.
pub(crate) fn filter(kind: &str, owner: &str) -> String {
    match owner {
        "" => format!("envoy.filters.http.{kind}"),
        owner => format!("envoy.filters.http.{kind}/{owner}"),
    }
}

/// An instance of one of our own filters, for one service; for everybody (`""`) without the owner.
pub(crate) fn own_filter(root_id: &str, owner: &str) -> String {
    match owner {
        "" => format!("meshwright.filters.http.{root_id}"),
        owner => format!("meshwright.filters.http.{root_id}.{owner}"),
    }
}

/// The endpoints of a cluster as gRPC wants to be told of them.
pub(crate) fn grpc_endpoints(cluster: &str) -> String {
    format!("grpc:{cluster}")
}

/// The routes of a service as gRPC wants to be told of them.
pub(crate) fn grpc_routes(service: &Service) -> String {
    format!("grpc_route_{}", service.name.key())
}

/// Where an Envoy asks for its configuration.
pub(crate) const CONTROL_PLANE_CLUSTER: &str = "meshwright-xds";

/// Where keys of tokens are fetched.
pub(crate) fn keys_cluster(at: &HostPort) -> String {
    format!("keys:{at}")
}

/// A service that is asked about requests.
pub(crate) fn asked_cluster(service: &Service) -> String {
    format!("asked:{}", service.name.key())
}

/// A collector of logs, traces or metrics that speaks gRPC.
pub(crate) fn collector(at: &HostPort) -> String {
    format!("collector:{at}")
}

/// A collector of traces that speaks HTTP.
pub(crate) fn http_collector(at: &HostPort) -> String {
    format!("http-collector:{at}")
}

/// A server of wasm modules.
pub(crate) fn module_server(scheme: &str, at: &HostPort) -> String {
    format!("modules:{scheme}://{at}")
}
