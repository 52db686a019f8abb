//! Fills a [`CheckedMesh`]: names become ids, absent values become defaults.
//!
//! What does not resolve is reported and left out; the result is used only when nothing was reported.

use std::collections::BTreeSet;
use std::time::Duration;

use spec::mesh::{AccessLogFormat, Call, Mesh, PathMatch};
use spec::units::StatusRange;
use spec::{Diagnostics, Sources, Spanned, mesh};

use super::tables::Tables;
use super::{credentials, endpoints};
use crate::checked::{self, CheckedMesh, Id, Target};

/// Time limit of a request, retries included, that nobody wrote.
pub(super) const DEFAULT_TIMEOUT: Duration = Duration::from_secs(15);
const DEFAULT_EXPECT: StatusRange = StatusRange { low: 200, high: 400 };
const DEFAULT_RETRY_ON: [mesh::RetryCondition; 3] =
    [mesh::RetryCondition::GatewayError, mesh::RetryCondition::ConnectFailure, mesh::RetryCondition::RefusedStream];

pub(super) fn mesh(mesh: &Mesh, tables: &Tables, sources: &Sources, diagnostics: &mut Diagnostics) -> CheckedMesh {
    let services: Vec<_> =
        mesh.services.iter().map(|declared| service(mesh, declared, tables, sources, diagnostics)).collect();
    let nodes = mesh
        .nodes
        .iter()
        .enumerate()
        .map(|(index, declared)| node(mesh, Id::new(index), declared, &services, tables, diagnostics))
        .collect();
    let gateways = mesh.gateways.iter().map(|declared| gateway(mesh, declared, tables, sources, diagnostics)).collect();
    CheckedMesh {
        name: mesh.name.value.clone(),
        access_log: mesh.defaults.access_log.as_ref().map_or(AccessLogFormat::Json, |log| log.format.value),
        services,
        nodes,
        gateways,
    }
}

fn service(
    mesh: &Mesh,
    declared: &mesh::Service,
    tables: &Tables,
    sources: &Sources,
    diagnostics: &mut Diagnostics,
) -> checked::Service {
    let default_timeout = mesh.defaults.timeout.as_ref();
    let breaker = declared.circuit_breaker.as_deref().or(mesh.defaults.circuit_breaker.as_ref());
    let breaker = breaker.cloned().unwrap_or_default();
    let basic_auth = declared.basic_auth.as_ref();
    let rules = declared.header_routing.iter().flat_map(|routing| &routing.rules);
    let header_routing = rules
        .filter_map(|rule| {
            let to = tables.service(rule.to.as_ref(), diagnostics)?;
            Some(checked::RoutingRule { to, headers: rule.headers.clone() })
        })
        .collect();
    checked::Service {
        name: declared.name.value.clone(),
        endpoints: endpoints::of_service(mesh, declared, tables, diagnostics),
        routes: declared.routes.iter().map(|declared| route(declared, tables, diagnostics)).collect(),
        timeout: declared.timeout.as_ref().or(default_timeout).map_or(DEFAULT_TIMEOUT, |timeout| timeout.value),
        retry: declared.retry.as_deref().or(mesh.defaults.retry.as_ref()).map(retry),
        health_check: declared.health_check.as_deref().or(mesh.defaults.health_check.as_ref()).map(health_check),
        circuit_breaker: checked::CircuitBreaker {
            max_connections: value(breaker.max_connections),
            max_pending: value(breaker.max_pending),
            max_requests: value(breaker.max_requests),
            max_retries: value(breaker.max_retries),
        },
        fault: declared.fault.as_deref().map(fault),
        basic_auth: basic_auth.map(|auth| credentials::resolve(auth, &mesh.name.value, sources, diagnostics)),
        header_routing,
    }
}

fn node(
    mesh: &Mesh,
    id: Id<checked::Node>,
    declared: &mesh::Node,
    services: &[checked::Service],
    tables: &Tables,
    diagnostics: &mut Diagnostics,
) -> checked::Node {
    let mut serves = Vec::new();
    for serve in &declared.serves {
        let Some(service_id) = tables.service(serve.service.as_ref(), diagnostics) else { continue };
        let (Some(service), Some(said)) = (services.get(service_id.index()), mesh.services.get(service_id.index()))
        else {
            continue;
        };
        serves.push(checked::Serve {
            service: service_id,
            upstreams: endpoints::upstreams(id, declared, serve, service, said, diagnostics),
            fault: serve.fault.as_ref().map(fault).or_else(|| service.fault.clone()),
        });
    }
    checked::Node {
        name: declared.name.value.clone(),
        serves,
        calls: calls(&declared.calls, services.len(), tables, diagnostics),
        bind: value(declared.bind),
    }
}

fn gateway(
    mesh: &Mesh,
    declared: &mesh::Gateway,
    tables: &Tables,
    sources: &Sources,
    diagnostics: &mut Diagnostics,
) -> checked::Gateway {
    let host = |host: &mesh::GatewayHost, diagnostics: &mut Diagnostics| checked::GatewayHost {
        pattern: host.pattern.value.to_ascii_lowercase(),
        routes: host_routes(host, tables, diagnostics),
    };
    let basic_auth = declared.basic_auth.as_ref();
    checked::Gateway {
        name: declared.name.value.clone(),
        listen: declared.listen.first().map_or(0, |listener| listener.port.value),
        trusted_hops: value(declared.trusted_hops).unwrap_or(0),
        bind: value(declared.bind),
        services: calls(&declared.calls, mesh.services.len(), tables, diagnostics),
        hosts: declared.hosts.iter().map(|declared| host(declared, diagnostics)).collect(),
        basic_auth: basic_auth.map(|auth| credentials::resolve(auth, &mesh.name.value, sources, diagnostics)),
        timeout: value(declared.timeout),
        retry: declared.retry.as_ref().map(retry),
    }
}

/// In the order of the mesh's services, each once.
fn calls(calls: &[Call], services: usize, tables: &Tables, diagnostics: &mut Diagnostics) -> Vec<Id<checked::Service>> {
    let listed: BTreeSet<_> = Call::listed(calls).filter_map(|name| tables.service(name, diagnostics)).collect();
    match Call::all(calls) {
        Some(_) => (0..services).map(Id::new).collect(),
        None => listed.into_iter().collect(),
    }
}

/// The routes of a host; then its own targets, which take every path.
fn host_routes(host: &mesh::GatewayHost, tables: &Tables, diagnostics: &mut Diagnostics) -> Vec<checked::Route> {
    let mut routes: Vec<_> = host.routes.iter().map(|declared| route(declared, tables, diagnostics)).collect();
    if !host.targets.is_empty() {
        let targets = targets(&host.targets, tables, diagnostics);
        routes.push(checked::Route { path: every_path(), headers: Vec::new(), targets, timeout: None, retry: None });
    }
    routes
}

fn route(declared: &mesh::Route, tables: &Tables, diagnostics: &mut Diagnostics) -> checked::Route {
    let targets = targets(declared.targets(), tables, diagnostics);
    checked::Route {
        path: declared.matches.path.as_ref().map_or_else(every_path, |path| path.value.clone()),
        headers: declared.matches.all_headers().cloned().collect(),
        targets,
        timeout: value(declared.timeout),
        retry: declared.retry.as_ref().map(retry),
    }
}

fn targets(declared: &[mesh::Target], tables: &Tables, diagnostics: &mut Diagnostics) -> Vec<Target> {
    let mut targets = Vec::new();
    for target in declared {
        let Some(service) = tables.service(target.service.as_ref(), diagnostics) else { continue };
        let weight = target.weight.as_ref().map_or(1, |weight| weight.value);
        targets.push(Target { service, weight });
    }
    targets
}

fn every_path() -> PathMatch {
    PathMatch::Prefix("/".to_owned())
}

fn retry(declared: &mesh::Retry) -> checked::Retry {
    let mut on: Vec<_> = declared.on.iter().map(|condition| condition.value).collect();
    if on.is_empty() {
        on.extend(DEFAULT_RETRY_ON);
    }
    checked::Retry { attempts: declared.attempts.value, on, per_try_timeout: value(declared.per_try_timeout) }
}

fn health_check(declared: &mesh::HealthCheck) -> checked::HealthCheck {
    checked::HealthCheck {
        path: value(declared.path.clone()).unwrap_or_else(|| "/healthz".to_owned()),
        interval: value(declared.interval).unwrap_or(Duration::from_secs(10)),
        timeout: value(declared.timeout).unwrap_or(Duration::from_secs(3)),
        cache: value(declared.cache).unwrap_or(Duration::from_secs(30)),
        port: value(declared.port),
        expect: value(declared.expect).unwrap_or(DEFAULT_EXPECT),
        healthy_threshold: value(declared.healthy_threshold).unwrap_or(3),
        unhealthy_threshold: value(declared.unhealthy_threshold).unwrap_or(3),
    }
}

fn fault(declared: &mesh::Fault) -> checked::Fault {
    checked::Fault {
        delay: declared.delay.as_ref().map(|delay| (delay.duration.value, delay.percent.value)),
        abort: declared.abort.as_ref().map(|abort| (abort.status.value, abort.percent.value)),
    }
}

fn value<T>(said: Option<Spanned<T>>) -> Option<T> {
    said.map(|said| said.value)
}
