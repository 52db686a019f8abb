//! What only a control plane can give: secrets that are no files of the sidecar and have no server of their own.

use spec::mesh::{
    CertificateFiles, CertificateSource, ClientTls, PeerValidation, ProviderSource, SdsSecret, ServerTls, TrustSource,
};
use spec::{Diagnostic, Diagnostics, Mesh, Severity, Span, codes};

pub(super) fn check(mesh: &Mesh, severity: Severity, diagnostics: &mut Diagnostics) {
    let mut places: Vec<Span> = Vec::new();
    for provider in &mesh.certificate_providers {
        if let ProviderSource::AcmPca(_) = provider.source.value {
            places.push(provider.source.span);
        }
    }
    let services = &mesh.services;
    let listeners = mesh.gateways.iter().flat_map(|gateway| &gateway.listen);
    let servers = mesh.defaults.tls.iter().chain(services.iter().filter_map(|service| service.tls.as_deref()));
    for tls in servers.chain(listeners.filter_map(|listener| listener.tls.as_ref())) {
        of_server(tls, &mut places);
    }
    for host in mesh.gateways.iter().flat_map(|gateway| &gateway.hosts) {
        of_certificate(host.certificate.as_ref(), &mut places);
    }
    let calls = mesh.nodes.iter().flat_map(|node| &node.calls);
    let calls = calls.chain(mesh.gateways.iter().flat_map(|gateway| &gateway.calls));
    let clients = mesh.defaults.client_tls.iter();
    let clients = clients.chain(services.iter().filter_map(|service| service.client_tls.as_deref()));
    for tls in clients.chain(calls.filter_map(|call| call.client_tls.as_deref())) {
        of_client(tls, &mut places);
    }
    places.sort();
    places.dedup();
    for place in places {
        let message = "only a control plane can give this secret, and there is none yet";
        let diagnostic = match severity {
            Severity::Error => Diagnostic::error(codes::NOT_COMPILED, place, message),
            _ => Diagnostic::of(codes::NOT_COMPILED, place, message),
        };
        diagnostics.push(diagnostic.help("use files of the sidecar, or an SDS server with `socket` or `sds-address`"));
    }
}

fn of_server(tls: &ServerTls, places: &mut Vec<Span>) {
    of_certificate(tls.certificate.as_ref(), places);
    of_peer(tls.client.as_ref(), places);
}

fn of_client(tls: &ClientTls, places: &mut Vec<Span>) {
    of_certificate(tls.certificate.as_ref(), places);
    of_peer(tls.server.as_ref(), places);
}

fn of_certificate(certificate: Option<&CertificateSource>, places: &mut Vec<Span>) {
    if let Some(CertificateFiles::Sds(secret)) = certificate.map(|it| &it.source.value) {
        of_secret(secret, places);
    }
}

fn of_peer(peer: Option<&PeerValidation>, places: &mut Vec<Span>) {
    if let Some(TrustSource::Sds(secret)) = peer.and_then(|peer| peer.trust.as_ref()).map(|trust| &trust.value) {
        of_secret(secret, places);
    }
}

fn of_secret(secret: &SdsSecret, places: &mut Vec<Span>) {
    if secret.socket.is_none() {
        places.push(secret.name.span);
    }
}
