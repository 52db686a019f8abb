//! Servers that are no services of the mesh, by a socket or a name: of secrets, of keys.

use std::net::IpAddr;
use std::time::Duration;

use envoy::config::cluster::v3::{Cluster, cluster};
use envoy::config::core::v3::{
    Address, DataSource, GrpcService, Http2ProtocolOptions, Pipe, SocketAddress, TransportSocket, address, data_source,
    grpc_service::{EnvoyGrpc, TargetSpecifier},
    socket_address::PortSpecifier,
};
use envoy::config::endpoint::v3::{
    ClusterLoadAssignment, Endpoint, LbEndpoint, LocalityLbEndpoints, lb_endpoint::HostIdentifier,
};
use envoy::extensions::transport_sockets::tls::v3::{
    CertificateValidationContext, CommonTlsContext, SubjectAltNameMatcher, UpstreamTlsContext,
    common_tls_context::ValidationContextType, subject_alt_name_matcher::SanType,
};
use envoy::extensions::upstreams::http::v3::{
    HttpProtocolOptions,
    http_protocol_options::{ExplicitHttpConfig, UpstreamProtocolOptions, explicit_http_config::ProtocolConfig},
};
use envoy::r#type::matcher::v3::{StringMatcher, string_matcher::MatchPattern};
use spec::mesh::HostPort;

use super::{duration, names, tls};

/// Authorities that the system believes, where Debian, Ubuntu and Alpine keep them.
const SYSTEM_AUTHORITIES: &str = "/etc/ssl/certs/ca-certificates.crt";

/// Where an SDS server is.
pub(crate) enum SecretServer<'a> {
    /// A Unix socket of this machine.
    Socket(&'a str),
    /// Reached with TLS, and believed as the system believes servers.
    Address(&'a HostPort),
}

/// An SDS server. Part of the bootstrap: Envoy takes secrets from no cluster that it was told of later.
pub(crate) fn secret_server(server: &SecretServer<'_>) -> Cluster {
    let base = match server {
        SecretServer::Socket(path) => to(names::secret_socket(path), pipe(path), cluster::DiscoveryType::Static),
        SecretServer::Address(at) => encrypted_to(names::secret_address(at), at),
    };
    with_http2(base)
}

/// A gRPC service behind a cluster; its name stands as the authority of calls.
pub(crate) fn grpc_service(cluster: String, at: &HostPort) -> GrpcService {
    let envoy = EnvoyGrpc { cluster_name: cluster, authority: at.to_string(), ..Default::default() };
    GrpcService { target_specifier: Some(TargetSpecifier::EnvoyGrpc(envoy)), ..Default::default() }
}

/// A server of the outside world that is reached over HTTP without TLS.
pub(crate) fn plain_to(name: String, at: &HostPort) -> Cluster {
    let literal = at.host.parse::<IpAddr>().is_ok();
    let discovery = if literal { cluster::DiscoveryType::Static } else { cluster::DiscoveryType::StrictDns };
    to(name, address(at), discovery)
}

/// A name is resolved by whoever uses it.
pub(crate) fn address(at: &HostPort) -> Address {
    match at.host.parse::<IpAddr>() {
        Ok(ip) => super::endpoint::address(ip, at.port),
        Err(_) => Address {
            address: Some(address::Address::SocketAddress(SocketAddress {
                address: at.host.clone(),
                port_specifier: Some(PortSpecifier::PortValue(u32::from(at.port))),
                ..Default::default()
            })),
        },
    }
}

/// A Unix socket.
pub(crate) fn pipe(path: &str) -> Address {
    let pipe = Pipe { path: path.to_owned(), ..Default::default() };
    Address { address: Some(address::Address::Pipe(pipe)) }
}

pub(crate) fn endpoint(address: Address) -> LbEndpoint {
    let endpoint = Endpoint { address: Some(address), ..Default::default() };
    LbEndpoint { host_identifier: Some(HostIdentifier::Endpoint(endpoint)), ..Default::default() }
}

/// As [`plain_to`], with TLS: the server must be who its name says, by an authority that the system believes.
pub(crate) fn encrypted_to(name: String, at: &HostPort) -> Cluster {
    let is_address = at.host.parse::<IpAddr>().is_ok();
    let exact = StringMatcher { match_pattern: Some(MatchPattern::Exact(at.host.clone())), ..Default::default() };
    let names = SubjectAltNameMatcher {
        san_type: if is_address { SanType::IpAddress } else { SanType::Dns }.into(),
        matcher: Some(exact),
        ..Default::default()
    };
    let sni = if is_address { String::new() } else { at.host.clone() };
    Cluster { transport_socket: Some(system_tls(sni, vec![names])), ..plain_to(name, at) }
}

/// TLS towards any server whose certificate the system believes: whoever uses it checks its name.
pub(crate) fn believed_by_the_system() -> TransportSocket {
    system_tls(String::new(), Vec::new())
}

fn system_tls(sni: String, names: Vec<SubjectAltNameMatcher>) -> TransportSocket {
    let authorities = data_source::Specifier::Filename(SYSTEM_AUTHORITIES.to_owned());
    let validation = CertificateValidationContext {
        trusted_ca: Some(DataSource { specifier: Some(authorities), ..Default::default() }),
        match_typed_subject_alt_names: names,
        ..Default::default()
    };
    tls::socket(&UpstreamTlsContext {
        sni,
        common_tls_context: Some(CommonTlsContext {
            validation_context_type: Some(ValidationContextType::ValidationContext(validation)),
            ..Default::default()
        }),
        ..Default::default()
    })
}

fn to(name: String, address: Address, discovery: cluster::DiscoveryType) -> Cluster {
    let locality = LocalityLbEndpoints { lb_endpoints: vec![endpoint(address)], ..Default::default() };
    Cluster {
        alt_stat_name: if name.contains(['.', ':']) { names::stat_name(&name) } else { String::new() },
        connect_timeout: Some(duration(Duration::from_secs(1))),
        load_assignment: Some(ClusterLoadAssignment {
            cluster_name: name.clone(),
            endpoints: vec![locality],
            ..Default::default()
        }),
        cluster_discovery_type: Some(cluster::ClusterDiscoveryType::Type(discovery.into())),
        name,
        ..Default::default()
    }
}

/// Speaks HTTP/2, as gRPC needs it.
pub(crate) fn with_http2(cluster: Cluster) -> Cluster {
    let options = HttpProtocolOptions {
        upstream_protocol_options: Some(UpstreamProtocolOptions::ExplicitHttpConfig(ExplicitHttpConfig {
            protocol_config: Some(ProtocolConfig::Http2ProtocolOptions(Http2ProtocolOptions::default())),
        })),
        ..Default::default()
    };
    let name = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions".to_owned();
    Cluster { typed_extension_protocol_options: [(name, envoy::any(&options))].into(), ..cluster }
}
