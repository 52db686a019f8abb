//! Where certificates and authorities come from: files, SDS servers, the control plane.

use std::sync::Arc;

use ::envoy::extensions::transport_sockets::tls::v3::SdsSecretConfig;
use spec::mesh::ProviderSource;

use super::super::Parts;
use super::super::scope::Scope;
use crate::checked::{Certificate, Trust};
use crate::envoy::names;
use crate::envoy::outside::{SecretServer, secret_server};
use crate::envoy::tls::{Giver, authorities_file, certificate_files, secret};

/// What is shown by whoever has this SPIFFE identity.
pub(super) fn certificate(
    scope: &Scope<'_>,
    certificate: &Certificate,
    identity: &str,
    parts: &mut Parts,
) -> SdsSecretConfig {
    match certificate {
        Certificate::Files { chain, key } => files(chain, key, parts),
        Certificate::Sds { name, socket } => named(name, socket.as_deref(), parts),
        Certificate::Provider(id) => match &scope.mesh.certificate_provider(*id).source {
            ProviderSource::Folder(folder) => {
                files(&in_folder(folder, "tls.crt"), &in_folder(folder, "tls.key"), parts)
            }
            given => provided(identity, given, parts),
        },
    }
}

/// Whom certificates must come from. A provider calls its authorities by the trust domain.
pub(super) fn trust(scope: &Scope<'_>, trust: &Trust, parts: &mut Parts) -> SdsSecretConfig {
    match trust {
        Trust::File(path) => file(path, parts),
        Trust::Sds { name, socket } => named(name, socket.as_deref(), parts),
        Trust::Provider(id) => match &scope.mesh.certificate_provider(*id).source {
            ProviderSource::Folder(folder) => file(&in_folder(folder, "ca.crt"), parts),
            given => provided(&format!("spiffe://{}", scope.mesh.trust_domain()), given, parts),
        },
    }
}

/// Authorities that stand in a file.
pub(super) fn file(path: &str, parts: &mut Parts) -> SdsSecretConfig {
    let name = names::authorities(path);
    parts.secret(Arc::new(authorities_file(&name, path)));
    secret(&name, &Giver::ControlPlane)
}

fn files(chain: &str, key: &str, parts: &mut Parts) -> SdsSecretConfig {
    let name = names::certificate(chain, key);
    parts.secret(Arc::new(certificate_files(&name, chain, key)));
    secret(&name, &Giver::ControlPlane)
}

fn named(name: &str, socket: Option<&str>, parts: &mut Parts) -> SdsSecretConfig {
    match socket {
        Some(socket) => from_server(name, &SecretServer::Socket(socket), parts),
        None => secret(name, &Giver::ControlPlane),
    }
}

fn provided(name: &str, source: &ProviderSource, parts: &mut Parts) -> SdsSecretConfig {
    match source {
        ProviderSource::Socket(socket) => from_server(name, &SecretServer::Socket(socket), parts),
        ProviderSource::Address(address) => from_server(name, &SecretServer::Address(address), parts),
        // Of a folder there is no secret by name: callers look at it first.
        ProviderSource::AcmPca(_) | ProviderSource::Folder(_) => secret(name, &Giver::ControlPlane),
    }
}

fn from_server(name: &str, server: &SecretServer<'_>, parts: &mut Parts) -> SdsSecretConfig {
    let cluster = secret_server(server);
    let config = secret(name, &Giver::Server(&cluster.name));
    parts.primary(cluster);
    config
}

fn in_folder(folder: &str, file: &str) -> String {
    format!("{}/{file}", folder.trim_end_matches('/'))
}
