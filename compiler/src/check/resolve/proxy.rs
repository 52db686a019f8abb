//! Nodes and gateways.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use spec::Diagnostics;
use spec::mesh::{self, Callee, Protocol};

use super::{Context, edits, extension, route, security, service, value};
use crate::check::{credentials, endpoints};
use crate::checked::{self, Id, Overlay, Situation};

pub(super) fn node(
    context: &Context<'_>,
    id: Id<checked::Node>,
    declared: &mesh::Node,
    services: &[checked::Service],
    overlays: &[Overlay],
    diagnostics: &mut Diagnostics,
) -> checked::Node {
    let mut serves = Vec::new();
    for serve in &declared.serves {
        let Some(service_id) = context.tables.service(serve.service.as_ref(), diagnostics) else { continue };
        let (Some(service), Some(said)) =
            (services.get(service_id.index()), context.mesh.services.get(service_id.index()))
        else {
            continue;
        };
        serves.push(checked::Serve {
            service: service_id,
            upstreams: endpoints::upstreams(id, declared, serve, service, said, diagnostics),
            fault: serve.fault.as_ref().map(|fault| extension::fault(context, fault)).or_else(|| service.fault.clone()),
        });
    }
    let defaults = &context.mesh.defaults;
    let own = extension::overlays(context, &declared.overlays);
    checked::Node {
        name: declared.name.value.clone(),
        proxyless: declared.is_proxyless(),
        serves,
        calls: match declared.is_proxyless() {
            true => calls_of_grpc(context, &declared.calls, services, diagnostics),
            false => calls(context, &declared.calls, diagnostics),
        },
        transparent_proxy: declared.transparent_proxy.clone(),
        at: Situation {
            bind: value(&declared.bind),
            region: value(&declared.region),
            zone: value(&declared.zone),
            egress: declared.egress.as_ref().or(defaults.egress.as_ref()).cloned(),
            access_log: declared.access_log.as_ref().or(defaults.access_log.as_ref()).cloned(),
            tracing: declared.tracing.as_ref().or(defaults.tracing.as_ref()).cloned(),
            stats: declared.stats.as_ref().or(defaults.stats.as_ref()).cloned(),
            filters: extension::filter_uses(context, &declared.filters),
            overlays: overlays.iter().cloned().chain(own).collect(),
        },
    }
}

pub(super) fn gateway(
    context: &Context<'_>,
    declared: &mesh::Gateway,
    overlays: &[Overlay],
    diagnostics: &mut Diagnostics,
) -> checked::Gateway {
    let Context { mesh, sources, .. } = context;
    let defaults = &mesh.defaults;
    let own = extension::overlays(context, &declared.overlays);
    let mut hosts: Vec<_> = declared.hosts.iter().map(|it| host(context, it, diagnostics)).collect();
    // Envoy takes the most specific one, whatever the order.
    hosts.sort_by(|one, other| (&one.pattern, one.port).cmp(&(&other.pattern, other.port)));
    checked::Gateway {
        name: declared.name.value.clone(),
        listen: declared.listen.iter().map(|it| listener(context, it, diagnostics)).collect(),
        trusted_hops: value(&declared.trusted_hops).unwrap_or(0),
        timeout: value(&declared.timeout),
        idle_timeout: value(&declared.idle_timeout),
        retry: declared.retry.clone(),
        calls: calls(context, &declared.calls, diagnostics),
        hosts,
        basic_auth: declared
            .basic_auth
            .as_ref()
            .map(|auth| credentials::resolve(auth, &mesh.name.value, sources, diagnostics)),
        jwt: declared.jwt.as_ref().map(|jwt| security::jwt(context, jwt)),
        api_key: declared.api_key.as_ref().map(|it| security::api_key(context, it, diagnostics)),
        hmac_signature: declared.hmac_signature.as_ref().map(|it| security::hmac_signature(context, it, diagnostics)),
        external_auth: declared.external_auth.as_ref().and_then(|it| security::external_auth(context, it, diagnostics)),
        authorization: declared.authorization.as_ref().map(|it| security::authorization(context, it)),
        ip_access: declared.ip_access.as_deref().cloned(),
        rate_limits: declared.rate_limits.clone(),
        cors: declared.cors.clone(),
        request_headers: declared.request_headers.as_deref().cloned(),
        response_headers: declared.response_headers.as_deref().cloned(),
        headers: declared.headers.as_deref().map(edits::headers),
        request_id: declared.request_id.as_deref().and_then(edits::request_id),
        maintenance: declared.maintenance.as_deref().and_then(edits::maintenance),
        at: Situation {
            bind: value(&declared.bind),
            region: None,
            zone: None,
            egress: declared.egress.as_ref().or(defaults.egress.as_ref()).cloned(),
            access_log: declared.access_log.as_ref().or(defaults.access_log.as_ref()).cloned(),
            tracing: declared.tracing.as_ref().or(defaults.tracing.as_ref()).cloned(),
            stats: declared.stats.as_ref().or(defaults.stats.as_ref()).cloned(),
            filters: extension::filter_uses(context, &declared.filters),
            overlays: overlays.iter().cloned().chain(own).collect(),
        },
    }
}

fn listener(context: &Context<'_>, declared: &mesh::Listener, diagnostics: &mut Diagnostics) -> checked::Listener {
    checked::Listener {
        port: declared.port.value,
        protocol: value(&declared.protocol).unwrap_or(Protocol::Http),
        tls: declared.tls.as_ref().and_then(|it| security::server_tls(context, it)),
        targets: route::targets(context, &declared.targets, diagnostics),
    }
}

fn host(context: &Context<'_>, declared: &mesh::GatewayHost, diagnostics: &mut Diagnostics) -> checked::GatewayHost {
    let said = declared.pattern.value.to_ascii_lowercase();
    let (pattern, port) = match said.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse().ok()?))) {
        Some((host, port)) => (host.to_owned(), Some(port)),
        None => (said, None),
    };
    checked::GatewayHost {
        pattern,
        port,
        certificate: declared.certificate.as_ref().and_then(|it| security::certificate(context, it)),
        routes: route::of_host(context, declared, diagnostics),
        cors: declared.cors.clone(),
        rate_limits: declared.rate_limits.clone(),
        request_headers: declared.request_headers.as_deref().cloned(),
        response_headers: declared.response_headers.as_deref().cloned(),
    }
}

/// As [`calls`]; `*` means every service that such an application can speak to.
fn calls_of_grpc(
    context: &Context<'_>,
    declared: &[mesh::Call],
    services: &[checked::Service],
    diagnostics: &mut Diagnostics,
) -> Vec<checked::Call> {
    let listed: Vec<_> =
        mesh::Call::listed(declared).filter_map(|name| context.tables.find_service(name.value)).collect();
    let mut calls = calls(context, declared, diagnostics);
    let speaks = |id: Id<checked::Service>| services.get(id.index()).is_some_and(checked::Service::is_http2);
    calls.retain(|call| listed.contains(&call.service) || speaks(call.service));
    calls
}

/// In the order of the services' names, each once. What `*` says holds for those that are not named.
fn calls(context: &Context<'_>, declared: &[mesh::Call], diagnostics: &mut Diagnostics) -> Vec<checked::Call> {
    let mut named: BTreeMap<Id<checked::Service>, (Option<usize>, checked::Call)> = BTreeMap::new();
    let mut all = None;
    for said in declared {
        match &said.service.value {
            Callee::All => all = all.or(Some(said)),
            Callee::Service(name) => {
                let spanned = spec::Spanned::new(name, said.service.span);
                let Some(id) = context.tables.service(spanned, diagnostics) else { continue };
                named.entry(id).or_insert_with(|| (context.tables.rank(name), call(context, id, said)));
            }
        }
    }
    match all {
        Some(all) => {
            let every = context.tables.by_name();
            every.map(|id| named.remove(&id).map_or_else(|| call(context, id, all), |(_, said)| said)).collect()
        }
        None => {
            let mut calls: Vec<_> = named.into_values().collect();
            calls.sort_unstable_by_key(|(rank, _)| *rank);
            calls.into_iter().map(|(_, call)| call).collect()
        }
    }
}

fn call(context: &Context<'_>, service: Id<checked::Service>, said: &mesh::Call) -> checked::Call {
    let address = value(&said.local_address).unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
    checked::Call {
        service,
        local: said.local_port.as_ref().map(|port| (address, port.value)),
        timeout: value(&said.timeout),
        retry: said.retry.as_deref().cloned(),
        circuit_breaker: said.circuit_breaker.as_deref().map(service::circuit_breaker),
        outlier_detection: said.outlier_detection.as_deref().cloned(),
        client_tls: said.client_tls.as_deref().map(|it| security::client_tls(context, it)),
    }
}
