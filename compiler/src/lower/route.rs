//! The routes of a service, as its callers and gateways see them.

pub(super) mod header_routing;
pub(super) mod outside;

use std::time::Duration;

use ::envoy::config::route::v3::{HeaderMatcher, RetryPolicy, Route as Message};
use policy::{HEALTH_CHECK_HEADER, ROUTE_HEADER};
use spec::mesh::{HealthCheckProtocol, PathMatch, Retry, RetryCondition};

use super::INGRESS_PORT;
use super::scope::Scope;
use crate::checked::{Destination, Id, Route, Service, Target};
use crate::envoy::http_filter::{FilterOverrides, HttpFilter};
use crate::envoy::names;
use crate::envoy::route::{
    ClusterShare, Host, ToClusters, header_is, header_is_there, header_matcher, method_is, path_is, retry_policy, route,
};

const DEFAULT_RETRY_ON: [RetryCondition; 3] =
    [RetryCondition::GatewayError, RetryCondition::ConnectFailure, RetryCondition::RefusedStream];

/// What holds unless a route says otherwise.
pub(super) struct Defaults<'a> {
    pub timeout: Duration,
    pub retry: Option<&'a Retry>,
}

/// A service under its own name: header routing, then declared routes, then the service itself.
pub(super) fn service_host(scope: &Scope<'_>, id: Id<Service>) -> Host {
    service_routes(scope, id, Some(id))
}

/// The same for requests that do not name the service: they leave under its name.
pub(super) fn service_host_renamed(scope: &Scope<'_>, id: Id<Service>) -> Host {
    service_routes(scope, id, None)
}

/// Where the bytes for a service that speaks no HTTP go: cluster and weight.
pub(super) fn tcp_clusters(scope: &Scope<'_>, id: Id<Service>) -> Vec<(String, u32)> {
    let service = scope.mesh.service(id);
    let routed = service.routes.iter().find(|route| !route.targets().is_empty());
    match routed {
        Some(route) => {
            route.targets().iter().map(|target| (names::destination(scope.mesh, target.to), target.weight)).collect()
        }
        None => vec![(names::destination(scope.mesh, Destination { service: id, subset: None }), 1)],
    }
}

/// `host` is the service whose name the request carries, if it carries one.
fn service_routes(scope: &Scope<'_>, id: Id<Service>, host: Option<Id<Service>>) -> Host {
    let service = scope.mesh.service(id);
    let defaults = defaults(scope, id);
    let by_header = service.header_routing.iter().map(|rule| {
        let headers = match header_routing::filter_headers(rule) {
            Some(_) => vec![header_is(ROUTE_HEADER, &names::cluster(scope.mesh.service(rule.to)))],
            None => rule.headers.iter().map(header_matcher).collect(),
        };
        to_service(scope, host, headers, rule.to, &defaults)
    });
    let declared = service.routes.iter().map(|declared| lower(scope, host, declared, &defaults));
    let rest = std::iter::once(to_service(scope, host, Vec::new(), id, &defaults));
    Host::new(service.name.key(), domains(service), by_header.chain(declared).chain(rest).collect())
}

/// The one route of a service at its own sidecar. The caller's time limit holds: it takes its request back when it no
/// longer waits.
pub(super) fn to_application(service: &Service) -> Message {
    let share = ClusterShare::new(&names::local_cluster(service));
    let action = ToClusters { clusters: vec![share], timeout: None, retry: None };
    route(&every_path(), Vec::new(), action)
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
    Some(Message { typed_per_filter_config: past, ..route(&every_path(), headers, action) })
}

/// Filters that the routes towards some services need.
pub(super) fn filters(_scope: &Scope<'_>, _called: &[Id<Service>]) -> Vec<HttpFilter> {
    Vec::new()
}

/// The authorities under which sidecars know a service.
pub(super) fn domains(service: &Service) -> Vec<String> {
    let name = service.name.key();
    vec![name.clone(), format!("{name}:{INGRESS_PORT}")]
}

/// What this caller says of a service, else what a gateway says of all, else what the service says.
fn defaults<'a>(scope: &Scope<'a>, id: Id<Service>) -> Defaults<'a> {
    let service = scope.mesh.service(id);
    let call = scope.call(id);
    let gateway = scope.gateway();
    let timeout = call.and_then(|call| call.timeout).or(gateway.and_then(|gateway| gateway.timeout));
    let retry = call.and_then(|call| call.retry.as_ref()).or(gateway.and_then(|gateway| gateway.retry.as_ref()));
    Defaults { timeout: timeout.unwrap_or(service.timeout), retry: retry.or(service.retry.as_ref()) }
}

/// A declared route. `host` is the service whose name the request carries, if it carries one.
fn lower(scope: &Scope<'_>, host: Option<Id<Service>>, declared: &Route, defaults: &Defaults<'_>) -> Message {
    let headers = declared.matches.all_headers().map(header_matcher).collect();
    let action = ToClusters {
        clusters: declared.targets().iter().map(|target| share(scope, host, target)).collect(),
        timeout: Some(declared.timeout.unwrap_or(defaults.timeout)),
        retry: declared.retry.as_ref().or(defaults.retry).map(retry),
    };
    let path = declared.matches.path.as_ref().map_or_else(every_path, |path| path.value.clone());
    route(&path, headers, action)
}

fn to_service(
    scope: &Scope<'_>,
    host: Option<Id<Service>>,
    headers: Vec<HeaderMatcher>,
    service: Id<Service>,
    defaults: &Defaults<'_>,
) -> Message {
    let action = ToClusters {
        clusters: vec![share(scope, host, &Target::all(service))],
        timeout: Some(defaults.timeout),
        retry: defaults.retry.map(retry),
    };
    route(&every_path(), headers, action)
}

/// A request that leaves for another service than its `Host` names gets that service's name as `Host`: the sidecar
/// there knows no other. The first name goes along in `x-forwarded-host`.
fn share(scope: &Scope<'_>, host: Option<Id<Service>>, target: &Target) -> ClusterShare {
    let Destination { service: id, .. } = target.to;
    let service = scope.mesh.service(id);
    ClusterShare {
        cluster: names::destination(scope.mesh, target.to),
        weight: target.weight,
        rewrite_host: (host != Some(id)).then(|| service.name.key()),
    }
}

fn retry(retry: &Retry) -> RetryPolicy {
    let said = retry.on.iter().map(|condition| condition.value);
    let on: Vec<RetryCondition> = if retry.on.is_empty() { DEFAULT_RETRY_ON.to_vec() } else { said.collect() };
    let on: Vec<&str> = on.into_iter().map(RetryCondition::as_str).collect();
    retry_policy(retry.attempts.value, on.join(","), retry.per_try_timeout.as_ref().map(|said| said.value))
}

fn every_path() -> PathMatch {
    PathMatch::Prefix("/".to_owned())
}
