//! The routes of a service, as its callers and gateways see them.

use std::time::Duration;

use ::envoy::config::route::v3::{RetryPolicy, Route as Message};
use policy::ROUTE_HEADER;
use spec::mesh::{PathMatch, RetryCondition};

use super::{INGRESS_PORT, wasm};
use crate::checked::{CheckedMesh, Id, Retry, Route, Service, Target};
use crate::envoy::names;
use crate::envoy::route::{ClusterShare, Host, ToClusters, header_is, header_matcher, retry_policy, route};

/// What holds unless a route says otherwise.
pub(super) struct Defaults<'a> {
    pub timeout: Duration,
    pub retry: Option<&'a Retry>,
}

/// A service under its own name: header routing, then declared routes, then the service itself.
pub(super) fn service_host(mesh: &CheckedMesh, id: Id<Service>, domains: Vec<String>, defaults: &Defaults<'_>) -> Host {
    let service = mesh.service(id);
    let by_header = service.header_routing.iter().map(|rule| {
        let headers = match wasm::filter_headers(rule) {
            Some(_) => vec![header_is(ROUTE_HEADER, &names::cluster(mesh.service(rule.to)))],
            None => rule.headers.iter().map(header_matcher).collect(),
        };
        to_target(mesh, Some(id), headers, rule.to, defaults)
    });
    let declared = service.routes.iter().map(|declared| lower(mesh, Some(id), declared, defaults));
    let rest = std::iter::once(to_target(mesh, Some(id), Vec::new(), id, defaults));
    Host { name: service.name.key(), domains, routes: by_header.chain(declared).chain(rest).collect() }
}

/// A declared route. `host` is the service whose name the request carries, if it carries one.
pub(super) fn lower(
    mesh: &CheckedMesh,
    host: Option<Id<Service>>,
    declared: &Route,
    defaults: &Defaults<'_>,
) -> Message {
    let headers = declared.headers.iter().map(header_matcher).collect();
    let action = ToClusters {
        clusters: declared.targets.iter().map(|target| share(mesh, host, *target)).collect(),
        timeout: Some(declared.timeout.unwrap_or(defaults.timeout)),
        retry: declared.retry.as_ref().or(defaults.retry).map(retry),
    };
    route(&declared.path, headers, action)
}

/// The authorities under which sidecars know a service.
pub(super) fn domains(service: &Service) -> Vec<String> {
    let name = service.name.key();
    vec![name.clone(), format!("{name}:{INGRESS_PORT}")]
}

fn to_target(
    mesh: &CheckedMesh,
    host: Option<Id<Service>>,
    headers: Vec<::envoy::config::route::v3::HeaderMatcher>,
    service: Id<Service>,
    defaults: &Defaults<'_>,
) -> Message {
    let action = ToClusters {
        clusters: vec![share(mesh, host, Target { service, weight: 1 })],
        timeout: Some(defaults.timeout),
        retry: defaults.retry.map(retry),
    };
    route(&PathMatch::Prefix("/".to_owned()), headers, action)
}

/// A request that leaves for another service than its `Host` names gets that service's name as `Host`: the sidecar
/// there knows no other. The first name goes along in `x-forwarded-host`.
fn share(mesh: &CheckedMesh, host: Option<Id<Service>>, target: Target) -> ClusterShare {
    let service = mesh.service(target.service);
    ClusterShare {
        cluster: names::cluster(service),
        weight: target.weight,
        rewrite_host: (host != Some(target.service)).then(|| service.name.key()),
    }
}

fn retry(retry: &Retry) -> RetryPolicy {
    let on: Vec<&str> = retry.on.iter().copied().map(RetryCondition::as_str).collect();
    retry_policy(retry.attempts, on.join(","), retry.per_try_timeout)
}
