//! The routes of a service, as its callers and gateways see them.

mod entry;
pub(super) mod header_routing;
pub(super) mod outside;
mod plan;

use std::time::Duration;

use ::envoy::config::route::v3::Route as Message;
use policy::HEALTH_CHECK_HEADER;
use spec::mesh::{Cors, HealthCheckProtocol, PathMatch, Retry};

use super::scope::Scope;
use super::{INGRESS_PORT, cluster, rate_limit};
use crate::checked::{Id, Service, Target};
use crate::envoy::http_filter::{FilterOverrides, HttpFilter, cors};
use crate::envoy::names;
use crate::envoy::route::edits::edits;
use crate::envoy::route::{
    ClusterShare, Host, ToClusters, header_is_there, method_is, only_when_faults_are_off, path_is, route,
    with_idle_timeout,
};
use plan::Plan;

/// Envoy's own limit of a stream on which nothing happens.
const IDLE_TIMEOUT: Duration = Duration::from_secs(300);

/// Where a table of routes stands, and what holds unless a route says otherwise.
struct Around<'a> {
    /// The service whose name requests carry; `None`: a name of the outside world.
    host: Option<Id<Service>>,
    /// The port of the listener; `None` at a sidecar, where the caller's words count.
    port: Option<u16>,
    timeout: Duration,
    idle_timeout: Option<Duration>,
    retry: Option<&'a Retry>,
    /// Said by a host or a gateway.
    cors: Option<&'a Cors>,
}

/// A service under its own name, at a sidecar or on the listener of a gateway that has this port: header routing, then
/// declared routes, then the service itself.
pub(super) fn service_host(scope: &Scope<'_>, id: Id<Service>, port: Option<u16>) -> Host {
    table(scope, id, Some(id), port)
}

/// The same at a sidecar, for requests that do not name the service: they leave under its name.
pub(super) fn service_host_renamed(scope: &Scope<'_>, id: Id<Service>) -> Host {
    table(scope, id, None, None)
}

/// `host` is the service whose name the requests carry, if they carry one.
fn table(scope: &Scope<'_>, id: Id<Service>, host: Option<Id<Service>>, port: Option<u16>) -> Host {
    let service = scope.mesh.service(id);
    let gateway = scope.gateway();
    let around = Around { host, port, cors: gateway.and_then(|gateway| gateway.cors.as_ref()), ..around(scope, id) };
    let by_rule = header_routing::plans(scope.mesh, service).into_iter();
    let declared = service.routes.iter().filter_map(Plan::of);
    let rest = std::iter::once(Plan::to(Target::all(id)));
    let plans = by_rule.chain(declared).chain(rest);
    Host {
        request_headers: edits(gateway.and_then(|gateway| gateway.request_headers.as_ref())),
        response_headers: edits(gateway.and_then(|gateway| gateway.response_headers.as_ref())),
        overrides: header_routing::overrides(service),
        ..Host::new(
            service.name.key(),
            domains(service),
            entry::reachable(plans.flat_map(|plan| entry::routes(scope, &around, &plan))),
        )
    }
}

/// The one route of a service at its own sidecar. Unless the service says more, the caller's time limit holds: it takes
/// its request back when it no longer waits.
pub(super) fn to_application(service: &Service) -> Message {
    let inbound = service.inbound.as_ref();
    let timeout = inbound.and_then(|inbound| inbound.timeout.as_ref()).map(|said| said.value);
    let idle = inbound.and_then(|inbound| inbound.idle_timeout.as_ref()).map(|said| said.value);
    let share = ClusterShare::new(&names::local_cluster(service));
    let action = ToClusters { clusters: vec![share], timeout, retry: None };
    with_idle_timeout(route(&PathMatch::Prefix("/".to_owned()), Vec::new(), action), idle)
}

/// Where the mesh's own health checks go, past the filters named here: were they refused, the answer would count, and
/// be kept, as the service's health.
pub(super) fn health_check(service: &Service, past: FilterOverrides) -> Option<Message> {
    let check = service.health_check.as_ref().filter(|_| !past.is_empty())?;
    let (method, path) = match check.protocol {
        HealthCheckProtocol::Http | HealthCheckProtocol::Http2 => ("GET", check.path.clone()),
        HealthCheckProtocol::Grpc => ("POST", "/grpc.health.v1.Health/Check".to_owned()),
        HealthCheckProtocol::Tcp => return None,
    };
    let share = ClusterShare::new(&names::local_cluster(service));
    let action = ToClusters { clusters: vec![share], timeout: None, retry: None };
    let headers = vec![method_is(method), path_is(&path), header_is_there(HEALTH_CHECK_HEADER)];
    let every_path = PathMatch::Prefix("/".to_owned());
    Some(Message { typed_per_filter_config: past, ..route(&every_path, headers, action) })
}

/// Where requests go while an operator has turned faults off at this Envoy: past the filters that are named here.
pub(super) fn without_faults(service: &Service, faults: FilterOverrides) -> Option<Message> {
    if faults.is_empty() {
        return None;
    }
    let to = to_application(service);
    Some(Message { typed_per_filter_config: faults, r#match: to.r#match.map(only_when_faults_are_off), ..to })
}

/// Filters that the routes towards some services need, and those of a gateway's hosts.
pub(super) fn filters(scope: &Scope<'_>, called: &[Id<Service>]) -> Vec<HttpFilter> {
    let of_services = called.iter().any(|id| shares_origins(scope, *id));
    let of_gateway = scope.gateway().is_some_and(|gateway| {
        let hosts = gateway.hosts.iter().filter(|host| host.cors.is_some()).count();
        let mut routes = gateway.hosts.iter().flat_map(|host| &host.routes);
        gateway.cors.is_some()
            || hosts > 0
            || routes.any(|route| {
                let mut targets = route.targets().iter();
                route.cors.is_some() || targets.any(|target| shares_origins(scope, target.to.service))
            })
    });
    let origins = (of_services || of_gateway).then(cors::filter);
    let session = cluster::session::filter(scope, called);
    origins.into_iter().chain(rate_limit::filters(scope)).chain(session).collect()
}

/// The authorities under which sidecars know a service: its name, alone or with a port at which callers may take it to
/// be.
pub(super) fn domains(service: &Service) -> Vec<String> {
    let name = service.name.key();
    let matched = service.routes.iter().filter_map(|route| route.matches.port.as_ref()).map(|port| port.value);
    let mut domains = vec![name.clone()];
    for port in [INGRESS_PORT].into_iter().chain(service.port).chain(matched) {
        let domain = format!("{name}:{port}");
        if !domains.contains(&domain) {
            domains.push(domain);
        }
    }
    domains
}

/// Where the connections of a service of bytes go, by weight.
pub(super) fn tcp_clusters(scope: &Scope<'_>, id: Id<Service>) -> Vec<(String, u32)> {
    let service = scope.mesh.service(id);
    let own = [Target::all(id)];
    let declared = service.routes.iter().map(|route| route.targets()).find(|targets| !targets.is_empty());
    let targets = declared.unwrap_or(&own).iter().filter(|target| target.weight > 0);
    targets.map(|target| (names::destination(scope.mesh, target.to), target.weight)).collect()
}

/// What this caller says of a service, else what a gateway says of all, else what the service says.
fn around<'a>(scope: &Scope<'a>, id: Id<Service>) -> Around<'a> {
    let service = scope.mesh.service(id);
    let call = scope.call(id);
    let gateway = scope.gateway();
    let timeout = call.and_then(|call| call.timeout).or(gateway.and_then(|gateway| gateway.timeout));
    let retry = call.and_then(|call| call.retry.as_ref()).or(gateway.and_then(|gateway| gateway.retry.as_ref()));
    Around {
        host: None,
        port: None,
        timeout: timeout.unwrap_or(service.timeout),
        idle_timeout: gateway.and_then(|gateway| gateway.idle_timeout).or(service.idle_timeout),
        retry: retry.or(service.retry.as_ref()),
        cors: None,
    }
}

/// Whether a route of a service, or a service that one leads to, says which pages may send requests.
fn shares_origins(scope: &Scope<'_>, id: Id<Service>) -> bool {
    let service = scope.mesh.service(id);
    let has = |id: Id<Service>| scope.mesh.service(id).cors.is_some();
    service.cors.is_some()
        || service.header_routing.iter().flat_map(|rule| &rule.to).any(|target| has(target.to.service))
        || service
            .routes
            .iter()
            .any(|route| route.cors.is_some() || route.targets().iter().any(|target| has(target.to.service)))
}
