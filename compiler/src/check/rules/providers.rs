//! Providers of certificates and tokens, wherever somebody names one.

use spec::mesh::{CertificateFiles, CertificateSource, Jwt, PeerValidation, TrustSource};
use spec::{Mesh, Name, Span};

use super::everywhere::{client_tls, server_tls};

/// Each with its place.
pub(super) fn of_certificates(mesh: &Mesh) -> impl Iterator<Item = (&Name, Span)> {
    let servers = server_tls(mesh).map(|(tls, _)| (&tls.certificate, &tls.client));
    let clients = client_tls(mesh).map(|(tls, _)| (&tls.certificate, &tls.server));
    let hosts = mesh.gateways.iter().flat_map(|gateway| &gateway.hosts).map(|host| (&host.certificate, &None));
    servers.chain(clients).chain(hosts).flat_map(|(certificate, peer)| {
        let own = certificate.as_ref().and_then(own);
        own.into_iter().chain(peer.as_ref().and_then(trusted))
    })
}

/// Whatever asks for tokens.
pub(super) fn jwts(mesh: &Mesh) -> impl Iterator<Item = &Jwt> {
    let services = mesh.services.iter().filter_map(|service| service.jwt.as_ref());
    services.chain(mesh.gateways.iter().filter_map(|gateway| gateway.jwt.as_ref()))
}

fn own(certificate: &CertificateSource) -> Option<(&Name, Span)> {
    match &certificate.source.value {
        CertificateFiles::Provider(name) => Some((name, certificate.source.span)),
        CertificateFiles::Files(_) | CertificateFiles::Sds(_) => None,
    }
}

fn trusted(peer: &PeerValidation) -> Option<(&Name, Span)> {
    let trust = peer.trust.as_ref()?;
    match &trust.value {
        TrustSource::Provider(name) => Some((name, trust.span)),
        TrustSource::File(_) | TrustSource::Sds(_) => None,
    }
}
