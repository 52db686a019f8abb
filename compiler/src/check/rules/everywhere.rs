//! Everything of one kind that a mesh says, wherever it stands.

use spec::mesh::{
    AccessLog, Authorization, ClientTls, Cors, Egress, ExternalAuth, Fault, FilterUse, HeaderEdits, IpAccess,
    OutlierDetection, Overlay, RateLimit, Retry, ServerTls, Stats, Tracing,
};
use spec::{Mesh, Name, Span, Spanned};

use super::routes;

pub(super) fn retries(mesh: &Mesh) -> impl Iterator<Item = &Retry> {
    let calls = mesh.nodes.iter().flat_map(|node| &node.calls);
    let calls = calls.chain(mesh.gateways.iter().flat_map(|gateway| &gateway.calls));
    let services = mesh.services.iter().filter_map(|service| service.retry.as_deref());
    let gateways = mesh.gateways.iter().filter_map(|gateway| gateway.retry.as_ref());
    let own = mesh.defaults.retry.iter().chain(services).chain(gateways);
    own.chain(routes(mesh).filter_map(|route| route.retry.as_ref()))
        .chain(calls.filter_map(|call| call.retry.as_deref()))
}

pub(super) fn outlier_detections(mesh: &Mesh) -> impl Iterator<Item = &OutlierDetection> {
    let calls = mesh.nodes.iter().flat_map(|node| &node.calls);
    let calls = calls.chain(mesh.gateways.iter().flat_map(|gateway| &gateway.calls));
    let services = mesh.services.iter().filter_map(|service| service.outlier_detection.as_deref());
    let own = mesh.defaults.outlier_detection.iter().chain(services);
    own.chain(calls.filter_map(|call| call.outlier_detection.as_deref()))
}

/// Each with a place to name when the block has none.
pub(super) fn server_tls(mesh: &Mesh) -> impl Iterator<Item = (&ServerTls, Span)> {
    let defaults = mesh.defaults.tls.iter().map(|tls| (tls, mesh.name.span));
    let services = mesh.services.iter().filter_map(|service| Some((service.tls.as_deref()?, service.name.span)));
    let listeners = mesh.gateways.iter().flat_map(|gateway| &gateway.listen);
    defaults.chain(services).chain(listeners.filter_map(|listener| Some((listener.tls.as_ref()?, listener.port.span))))
}

/// Each with a place to name when the block has none.
pub(super) fn client_tls(mesh: &Mesh) -> impl Iterator<Item = (&ClientTls, Span)> {
    let calls = mesh.nodes.iter().flat_map(|node| &node.calls);
    let calls = calls.chain(mesh.gateways.iter().flat_map(|gateway| &gateway.calls));
    let defaults = mesh.defaults.client_tls.iter().map(|tls| (tls, mesh.name.span));
    let services = mesh.services.iter().filter_map(|service| Some((service.client_tls.as_deref()?, service.name.span)));
    defaults.chain(services).chain(calls.filter_map(|call| Some((call.client_tls.as_deref()?, call.service.span))))
}

/// Each with a place to name when the block has none.
pub(super) fn authorizations(mesh: &Mesh) -> impl Iterator<Item = (&Authorization, Span)> {
    let defaults = mesh.defaults.authorization.iter().map(|it| (it, mesh.name.span));
    let services =
        mesh.services.iter().filter_map(|service| Some((service.authorization.as_ref()?, service.name.span)));
    let gateways = mesh.gateways.iter().filter_map(|it| Some((it.authorization.as_ref()?, it.name.span)));
    defaults.chain(services).chain(gateways)
}

/// Each with the service that it hits.
pub(super) fn faults(mesh: &Mesh) -> impl Iterator<Item = (&Fault, &Spanned<Name>)> {
    let services = mesh.services.iter().filter_map(|service| Some((service.fault.as_deref()?, &service.name)));
    let serves = mesh.nodes.iter().flat_map(|node| &node.serves);
    services.chain(serves.filter_map(|serve| Some((serve.fault.as_ref()?, &serve.service))))
}

pub(super) fn external_auths(mesh: &Mesh) -> impl Iterator<Item = &ExternalAuth> {
    let services = mesh.services.iter().filter_map(|service| service.external_auth.as_deref());
    services.chain(mesh.gateways.iter().filter_map(|gateway| gateway.external_auth.as_ref()))
}

pub(super) fn cors(mesh: &Mesh) -> impl Iterator<Item = &Cors> {
    let services = mesh.services.iter().filter_map(|service| service.cors.as_deref());
    let gateways = mesh.gateways.iter().filter_map(|gateway| gateway.cors.as_ref());
    let hosts = mesh.gateways.iter().flat_map(|gateway| &gateway.hosts).filter_map(|host| host.cors.as_ref());
    services.chain(gateways).chain(hosts).chain(routes(mesh).filter_map(|route| route.cors.as_deref()))
}

pub(super) fn header_edits(mesh: &Mesh) -> impl Iterator<Item = &HeaderEdits> {
    let services = mesh.services.iter().map(|it| (&it.request_headers, &it.response_headers));
    let gateways = mesh.gateways.iter().map(|it| (&it.request_headers, &it.response_headers));
    let hosts = mesh.gateways.iter().flat_map(|gateway| &gateway.hosts);
    let hosts = hosts.map(|it| (&it.request_headers, &it.response_headers));
    let of_routes = routes(mesh).map(|it| (&it.request_headers, &it.response_headers));
    let targets = super::targets(mesh).map(|it| (&it.request_headers, &it.response_headers));
    let pairs = services.chain(gateways).chain(hosts).chain(of_routes).chain(targets);
    pairs.flat_map(|(requests, responses)| requests.iter().chain(responses)).map(AsRef::as_ref)
}

pub(super) fn access_logs(mesh: &Mesh) -> impl Iterator<Item = &AccessLog> {
    let nodes = mesh.nodes.iter().filter_map(|node| node.access_log.as_ref());
    let gateways = mesh.gateways.iter().filter_map(|gateway| gateway.access_log.as_ref());
    mesh.defaults.access_log.iter().chain(nodes).chain(gateways)
}

pub(super) fn tracings(mesh: &Mesh) -> impl Iterator<Item = &Tracing> {
    let nodes = mesh.nodes.iter().filter_map(|node| node.tracing.as_ref());
    let gateways = mesh.gateways.iter().filter_map(|gateway| gateway.tracing.as_ref());
    mesh.defaults.tracing.iter().chain(nodes).chain(gateways)
}

pub(super) fn stats(mesh: &Mesh) -> impl Iterator<Item = &Stats> {
    let nodes = mesh.nodes.iter().filter_map(|node| node.stats.as_ref());
    let gateways = mesh.gateways.iter().filter_map(|gateway| gateway.stats.as_ref());
    mesh.defaults.stats.iter().chain(nodes).chain(gateways)
}

/// Each with a place to name when the block has none.
pub(super) fn ip_accesses(mesh: &Mesh) -> impl Iterator<Item = (&IpAccess, Span)> {
    let services = mesh.services.iter().filter_map(|it| Some((it.ip_access.as_deref()?, it.name.span)));
    services.chain(mesh.gateways.iter().filter_map(|it| Some((it.ip_access.as_deref()?, it.name.span))))
}

pub(super) fn rate_limits(mesh: &Mesh) -> impl Iterator<Item = &RateLimit> {
    let services = mesh.services.iter().flat_map(|service| &service.rate_limits);
    let gateways = mesh.gateways.iter().flat_map(|gateway| &gateway.rate_limits);
    let hosts = mesh.gateways.iter().flat_map(|gateway| &gateway.hosts).flat_map(|host| &host.rate_limits);
    services.chain(gateways).chain(hosts).chain(routes(mesh).flat_map(|route| &route.rate_limits))
}

pub(super) fn filter_uses(mesh: &Mesh) -> impl Iterator<Item = &FilterUse> {
    let services = mesh.services.iter().flat_map(|service| &service.filters);
    let nodes = mesh.nodes.iter().flat_map(|node| &node.filters);
    services.chain(nodes).chain(mesh.gateways.iter().flat_map(|gateway| &gateway.filters))
}

pub(in crate::check) fn overlays(mesh: &Mesh) -> impl Iterator<Item = &Overlay> {
    let services = mesh.services.iter().flat_map(|service| &service.overlays);
    let nodes = mesh.nodes.iter().flat_map(|node| &node.overlays);
    let gateways = mesh.gateways.iter().flat_map(|gateway| &gateway.overlays);
    mesh.overlays.iter().chain(services).chain(nodes).chain(gateways)
}

pub(super) fn egresses(mesh: &Mesh) -> impl Iterator<Item = &Egress> {
    let nodes = mesh.nodes.iter().filter_map(|node| node.egress.as_ref());
    let gateways = mesh.gateways.iter().filter_map(|gateway| gateway.egress.as_ref());
    mesh.defaults.egress.iter().chain(nodes).chain(gateways)
}
