//! TLS on both sides of a connection, and the secrets it needs.
//!
//! Certificates and authorities are always SDS secrets: Envoy reads files again only when a secret that was served
//! names them (`watched_directory` of a certificate inside a listener does nothing).

use envoy::config::core::v3::{
    ApiConfigSource, ApiVersion, ConfigSource, DataSource, GrpcService, PathConfigSource, TransportSocket,
    WatchedDirectory,
    api_config_source::ApiType,
    config_source::ConfigSourceSpecifier,
    data_source,
    grpc_service::{EnvoyGrpc, TargetSpecifier},
    transport_socket,
};
use envoy::config::listener::v3::{FilterChainMatch, ListenerFilter, listener_filter};
use envoy::extensions::filters::listener::tls_inspector::v3::TlsInspector;
use envoy::extensions::transport_sockets::tls::v3::{
    CertificateValidationContext, CommonTlsContext, DownstreamTlsContext, SdsSecretConfig, Secret,
    SubjectAltNameMatcher, TlsCertificate, TlsParameters, UpstreamTlsContext,
    common_tls_context::{CombinedCertificateValidationContext, ValidationContextType},
    secret,
    subject_alt_name_matcher::SanType,
    tls_parameters::TlsProtocol,
};
use envoy::r#type::matcher::v3::{StringMatcher, string_matcher::MatchPattern};
use spec::mesh::TlsVersion;

use super::listener::from_control_plane;

/// What both sides of a connection say of it.
pub(crate) struct Encryption {
    /// What is shown.
    pub certificate: Option<SdsSecretConfig>,
    /// Whom the other side's certificate must come from.
    pub trust: Option<SdsSecretConfig>,
    /// Names of which the other side's certificate must have one; empty: any.
    pub peer_names: Vec<String>,
    /// Protocols inside, the best first.
    pub alpn: &'static [&'static str],
    pub oldest: TlsVersion,
    pub newest: TlsVersion,
}

/// Where a secret comes from.
pub(crate) enum Giver<'a> {
    ControlPlane,
    /// An SDS server, by the name of its cluster.
    Server(&'a str),
    /// A file that holds the secret as SDS would give it.
    File(&'a str),
}

/// How a listener accepts connections. With authorities, callers must show a certificate.
pub(crate) fn downstream(encryption: Encryption) -> TransportSocket {
    let mutual = encryption.trust.is_some();
    socket(&DownstreamTlsContext {
        require_client_certificate: mutual.then_some(true),
        common_tls_context: Some(common(encryption)),
        ..Default::default()
    })
}

/// How a cluster connects, asking for this server name.
pub(crate) fn upstream(encryption: Encryption, sni: String) -> TransportSocket {
    socket(&UpstreamTlsContext { common_tls_context: Some(common(encryption)), sni, ..Default::default() })
}

/// A certificate and its key as files.
pub(crate) fn certificate_files(name: &str, chain: &str, key: &str) -> Secret {
    // Both are read together, whatever file is replaced first. Files in different folders are watched one by one.
    let watched_directory = (folder(chain) == folder(key)).then(|| watched(chain));
    let certificate = TlsCertificate {
        certificate_chain: Some(file(chain)),
        private_key: Some(file(key)),
        watched_directory,
        ..Default::default()
    };
    Secret { name: name.to_owned(), r#type: Some(secret::Type::TlsCertificate(certificate)) }
}

/// Authorities as a file.
pub(crate) fn authorities_file(name: &str, path: &str) -> Secret {
    let context = CertificateValidationContext {
        trusted_ca: Some(file(path)),
        watched_directory: Some(watched(path)),
        ..Default::default()
    };
    Secret { name: name.to_owned(), r#type: Some(secret::Type::ValidationContext(context)) }
}

pub(crate) fn secret(name: &str, giver: &Giver<'_>) -> SdsSecretConfig {
    let source = match giver {
        Giver::ControlPlane => from_control_plane(),
        Giver::File(path) => ConfigSource {
            resource_api_version: ApiVersion::V3.into(),
            config_source_specifier: Some(ConfigSourceSpecifier::PathConfigSource(PathConfigSource {
                path: (*path).to_owned(),
                ..Default::default()
            })),
            ..Default::default()
        },
        Giver::Server(cluster) => ConfigSource {
            resource_api_version: ApiVersion::V3.into(),
            config_source_specifier: Some(ConfigSourceSpecifier::ApiConfigSource(ApiConfigSource {
                api_type: ApiType::Grpc.into(),
                transport_api_version: ApiVersion::V3.into(),
                grpc_services: vec![grpc(cluster, "localhost")],
                ..Default::default()
            })),
            ..Default::default()
        },
    };
    SdsSecretConfig { name: name.to_owned(), sds_config: Some(source) }
}

/// A gRPC server, by its cluster, and the `:authority` by which it knows itself; empty: the cluster's name.
pub(crate) fn grpc(cluster: &str, authority: &str) -> GrpcService {
    let target = EnvoyGrpc { cluster_name: cluster.to_owned(), authority: authority.to_owned(), ..Default::default() };
    GrpcService { target_specifier: Some(TargetSpecifier::EnvoyGrpc(target)), ..Default::default() }
}

/// Connections that begin with TLS, for one of these server names; without names, for any.
pub(crate) fn encrypted(server_names: Vec<String>) -> FilterChainMatch {
    FilterChainMatch { server_names, transport_protocol: "tls".to_owned(), ..Default::default() }
}

/// Connections that do not begin with TLS.
pub(crate) fn unencrypted() -> FilterChainMatch {
    FilterChainMatch { transport_protocol: "raw_buffer".to_owned(), ..Default::default() }
}

/// Tells connections that [`encrypted`] and [`unencrypted`] mean apart.
pub(crate) fn inspector() -> ListenerFilter {
    ListenerFilter {
        name: "envoy.filters.listener.tls_inspector".to_owned(),
        config_type: Some(listener_filter::ConfigType::TypedConfig(envoy::any(&TlsInspector::default()))),
        ..Default::default()
    }
}

fn common(encryption: Encryption) -> CommonTlsContext {
    let names = encryption.peer_names.iter().map(|name| subject_alt_name(name)).collect();
    let validation = encryption.trust.map(|trust| {
        ValidationContextType::CombinedValidationContext(CombinedCertificateValidationContext {
            default_validation_context: Some(CertificateValidationContext {
                match_typed_subject_alt_names: names,
                ..Default::default()
            }),
            validation_context_sds_secret_config: Some(trust),
            ..Default::default()
        })
    });
    CommonTlsContext {
        tls_params: Some(TlsParameters {
            tls_minimum_protocol_version: version(encryption.oldest).into(),
            tls_maximum_protocol_version: version(encryption.newest).into(),
            ..Default::default()
        }),
        tls_certificate_sds_secret_configs: encryption.certificate.into_iter().collect(),
        alpn_protocols: encryption.alpn.iter().map(|&protocol| protocol.to_owned()).collect(),
        validation_context_type: validation,
        ..Default::default()
    }
}

/// URIs, such as SPIFFE identities, addresses and DNS names are compared with names of their own kind.
fn subject_alt_name(name: &str) -> SubjectAltNameMatcher {
    let kind = if name.contains("://") {
        SanType::Uri
    } else if name.parse::<std::net::IpAddr>().is_ok() {
        SanType::IpAddress
    } else {
        SanType::Dns
    };
    let exact = MatchPattern::Exact(name.to_owned());
    SubjectAltNameMatcher {
        san_type: kind.into(),
        matcher: Some(StringMatcher { match_pattern: Some(exact), ..Default::default() }),
        ..Default::default()
    }
}

fn version(version: TlsVersion) -> TlsProtocol {
    match version {
        TlsVersion::Tls12 => TlsProtocol::TlSv12,
        TlsVersion::Tls13 => TlsProtocol::TlSv13,
    }
}

pub(crate) fn socket<M: prost::Name>(context: &M) -> TransportSocket {
    TransportSocket {
        name: "envoy.transport_sockets.tls".to_owned(),
        config_type: Some(transport_socket::ConfigType::TypedConfig(envoy::any(context))),
    }
}

fn file(path: &str) -> DataSource {
    DataSource { specifier: Some(data_source::Specifier::Filename(path.to_owned())), ..Default::default() }
}

fn watched(path: &str) -> WatchedDirectory {
    WatchedDirectory { path: folder(path).to_owned(), watch_modify: true }
}

/// Of a file; `.` for one that stands where Envoy runs.
fn folder(path: &str) -> &str {
    match path.rsplit_once('/') {
        Some(("", _)) => "/",
        Some((folder, _)) => folder,
        None => ".",
    }
}
