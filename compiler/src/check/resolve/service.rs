//! Services.

use std::time::Duration;

use spec::mesh::{self, HealthCheckProtocol, Protocol};
use spec::units::StatusRange;
use spec::{Diagnostics, Spanned};

use super::{Context, extension, route, security, value};
use crate::check::{credentials, endpoints};
use crate::checked::{self, Discovery};

/// Time limit of a request, retries included, that nobody wrote.
pub(in crate::check) const DEFAULT_TIMEOUT: Duration = Duration::from_secs(15);
const DEFAULT_EXPECT: StatusRange = StatusRange { low: 200, high: 400 };

pub(super) fn resolve(
    context: &Context<'_>,
    declared: &mesh::Service,
    diagnostics: &mut Diagnostics,
) -> checked::Service {
    let Context { mesh, tables, sources } = context;
    let defaults = &mesh.defaults;
    let protocol = value(&declared.protocol).unwrap_or(Protocol::Http);
    let default_subset = declared.default_subset.as_ref().and_then(|name| subset(declared, &name.value));
    let health_check = declared.health_check.as_deref().or(defaults.health_check.as_ref());
    let breaker = declared.circuit_breaker.as_deref().or(defaults.circuit_breaker.as_ref());
    let authorization = declared.authorization.as_ref().or(defaults.authorization.as_ref());
    checked::Service {
        name: declared.name.value.clone(),
        protocol,
        port: value(&declared.port),
        timeout: value(&declared.timeout).or(value(&defaults.timeout)).unwrap_or(DEFAULT_TIMEOUT),
        idle_timeout: value(&declared.idle_timeout).or(value(&defaults.idle_timeout)),
        discovery: discovery(declared),
        endpoints: endpoints::of_service(mesh, declared, tables, diagnostics),
        subsets: declared.subsets.iter().map(checked_subset).collect(),
        default_subset,
        health_check: health_check.map(|check| resolve_health_check(check, declared, protocol)),
        circuit_breaker: breaker.map(circuit_breaker).unwrap_or_default(),
        connection_pool: declared.connection_pool.as_deref().or(defaults.connection_pool.as_ref()).cloned(),
        outlier_detection: declared.outlier_detection.as_deref().or(defaults.outlier_detection.as_ref()).cloned(),
        load_balancing: declared.load_balancing.as_deref().or(defaults.load_balancing.as_ref()).cloned(),
        failover: declared
            .failover
            .iter()
            .filter_map(|it| route::destination(context, &it.service, &it.subset, diagnostics))
            .collect(),
        retry: declared.retry.as_deref().or(defaults.retry.as_ref()).cloned(),
        routes: route::ordered(context, &declared.routes, diagnostics),
        mirrors: route::mirrors(context, &declared.mirrors, diagnostics),
        request_headers: declared.request_headers.as_deref().cloned(),
        response_headers: declared.response_headers.as_deref().cloned(),
        fault: declared.fault.as_deref().map(|fault| extension::fault(context, fault)),
        ip_access: declared.ip_access.as_deref().cloned(),
        rate_limits: declared.rate_limits.clone(),
        cors: declared.cors.as_deref().cloned(),
        basic_auth: declared
            .basic_auth
            .as_deref()
            .map(|auth| credentials::resolve(auth, &mesh.name.value, sources, diagnostics)),
        jwt: declared.jwt.as_ref().map(|jwt| security::jwt(context, jwt)),
        api_key: declared.api_key.as_deref().map(|it| security::api_key(context, it, diagnostics)),
        external_auth: declared
            .external_auth
            .as_deref()
            .and_then(|it| security::external_auth(context, it, diagnostics)),
        authorization: authorization.map(|it| security::authorization(context, it)),
        tls: declared.tls.as_deref().or(defaults.tls.as_ref()).and_then(|it| security::server_tls(context, it)),
        client_tls: declared
            .client_tls
            .as_deref()
            .or(defaults.client_tls.as_ref())
            .and_then(|it| security::client_tls(context, it)),
        inbound: declared.inbound.as_deref().cloned(),
        header_routing: route::header_routing(context, declared, diagnostics),
        filters: extension::filter_uses(context, &declared.filters),
        overlays: extension::overlays(context, &declared.overlays),
    }
}

/// The place of a subset among those of its service.
pub(super) fn subset(service: &mesh::Service, name: &str) -> Option<usize> {
    service.subsets.iter().position(|subset| subset.name.value == name)
}

pub(super) fn circuit_breaker(declared: &mesh::CircuitBreaker) -> checked::CircuitBreaker {
    checked::CircuitBreaker {
        max_connections: value(&declared.max_connections),
        max_pending: value(&declared.max_pending),
        max_requests: value(&declared.max_requests),
        max_retries: value(&declared.max_retries),
    }
}

fn discovery(declared: &mesh::Service) -> Discovery {
    match (&declared.dns, &declared.ecs, &declared.cloud_map) {
        (Some(dns), ..) => Discovery::Dns(dns.as_ref().clone()),
        (_, Some(ecs), _) => Discovery::Ecs(ecs.as_ref().clone()),
        (.., Some(cloud_map)) => Discovery::CloudMap(cloud_map.as_ref().clone()),
        _ => Discovery::Said,
    }
}

fn checked_subset(declared: &mesh::Subset) -> checked::Subset {
    checked::Subset { name: declared.name.value.clone(), labels: declared.labels.clone() }
}

fn resolve_health_check(
    declared: &mesh::HealthCheck,
    service: &mesh::Service,
    protocol: Protocol,
) -> checked::HealthCheck {
    let usual = match protocol {
        Protocol::Http => HealthCheckProtocol::Http,
        Protocol::Http2 => HealthCheckProtocol::Http2,
        Protocol::Grpc => HealthCheckProtocol::Grpc,
        Protocol::Tcp => HealthCheckProtocol::Tcp,
    };
    let text = |said: &Option<Spanned<String>>| said.as_ref().map(|said| said.value.clone());
    checked::HealthCheck {
        protocol: value(&declared.protocol).unwrap_or(usual),
        path: text(&declared.path).unwrap_or_else(|| "/healthz".to_owned()),
        host: text(&declared.host).unwrap_or_else(|| service.name.value.key()),
        grpc_service: text(&declared.grpc_service),
        interval: value(&declared.interval).unwrap_or(Duration::from_secs(10)),
        timeout: value(&declared.timeout).unwrap_or(Duration::from_secs(3)),
        cache: value(&declared.cache).unwrap_or(Duration::from_secs(30)),
        port: value(&declared.port),
        expect: value(&declared.expect).unwrap_or(DEFAULT_EXPECT),
        healthy_threshold: value(&declared.healthy_threshold).unwrap_or(3),
        unhealthy_threshold: value(&declared.unhealthy_threshold).unwrap_or(3),
    }
}
