//! TLS, its certificates, and whom they prove.

use super::{HostPort, Place};
use crate::block::{Block, Choice, Word};
use crate::names::Name;
use crate::source::Spanned;
use crate::value::{http, mesh, network, text};

/// How connections are accepted.
#[derive(Clone, Debug, PartialEq, Block)]
#[block(what = "server TLS", line)]
pub struct ServerTls {
    /// Whether connections must be encrypted.
    #[field(default = "strict")]
    pub mode: Option<Spanned<TlsMode>>,
    /// What the server shows.
    pub certificate: Option<CertificateSource>,
    /// Callers must show a certificate that this accepts: mutual TLS.
    pub client: Option<PeerValidation>,
    /// The oldest version that is spoken.
    #[field(default = "1.2")]
    pub min_version: Option<Spanned<TlsVersion>>,
    /// The newest version that is spoken.
    #[field(default = "1.3")]
    pub max_version: Option<Spanned<TlsVersion>>,
    #[field(place)]
    pub place: Place,
}

/// How a service is called.
#[derive(Clone, Debug, PartialEq, Block)]
#[block(what = "client TLS", line)]
pub struct ClientTls {
    /// Whether connections must be encrypted.
    #[field(default = "strict")]
    pub mode: Option<Spanned<TlsMode>>,
    /// The server name that is asked for.
    #[field(value = http::HOST_NAME, default = "the service's name")]
    pub sni: Option<Spanned<String>>,
    /// What the caller shows, for mutual TLS.
    pub certificate: Option<CertificateSource>,
    /// How the server's certificate is checked.
    pub server: Option<PeerValidation>,
    /// Only for these ports.
    #[field(value = network::PORT)]
    pub ports: Vec<Spanned<u16>>,
    /// The oldest version that is spoken.
    #[field(default = "1.2")]
    pub min_version: Option<Spanned<TlsVersion>>,
    #[field(place)]
    pub place: Place,
}

/// Whether connections are encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Word)]
pub enum TlsMode {
    /// Always.
    Strict,
    /// Both ways: for moving services one by one.
    Permissive,
    /// Never.
    Disabled,
}

/// A version of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Word)]
pub enum TlsVersion {
    /// RFC 5246.
    #[word("1.2")]
    Tls12,
    /// RFC 8446.
    #[word("1.3")]
    Tls13,
}

/// Where a certificate and its key come from.
#[derive(Clone, Debug, PartialEq, Block)]
#[block(what = "a certificate", line)]
pub struct CertificateSource {
    /// The source.
    #[field(one_of)]
    pub source: Spanned<CertificateFiles>,
}

/// Where a certificate and its key come from.
#[derive(Clone, Debug, PartialEq, Choice)]
#[block(what = "a source")]
pub enum CertificateFiles {
    /// Files on the sidecar's machine.
    #[field(inline)]
    Files(FilePair),
    /// A secret that an SDS server gives.
    #[field(inline)]
    Sds(SdsSecret),
    /// A certificate provider of the mesh, by its name.
    #[field(value = mesh::NAME)]
    Provider(Name),
}

/// A certificate chain and its private key, as files on the sidecar's machine. They are read again when they change.
#[derive(Clone, Debug, PartialEq, Block)]
#[block(what = "a pair of certificate files", line)]
pub struct FilePair {
    /// The certificate and those that lead to its authority (PEM).
    #[field(value = text::SIDECAR_FILE)]
    pub chain: Spanned<String>,
    /// The private key (PEM).
    #[field(value = text::SIDECAR_FILE)]
    pub key: Spanned<String>,
}

/// A secret that an SDS server gives.
#[derive(Clone, Debug, PartialEq, Block)]
#[block(what = "an SDS secret", line)]
pub struct SdsSecret {
    /// The secret's name.
    #[field(main, value = text::TEXT)]
    pub name: Spanned<String>,
    /// The server's Unix socket on the sidecar's machine; without it, the control plane is asked.
    #[field(value = text::SIDECAR_FILE)]
    pub socket: Option<Spanned<String>>,
}

/// How the certificate of the other side is checked.
#[derive(Clone, Debug, PartialEq, Block)]
#[block(what = "a check of certificates", line)]
pub struct PeerValidation {
    /// The authorities that are believed.
    #[field(one_of)]
    pub trust: Option<Spanned<TrustSource>>,
    /// The certificate must name one of these: DNS names, or URIs such as `spiffe://shop/beta`.
    #[field(value = text::TEXT)]
    pub subject_alt_name: Vec<Spanned<String>>,
    #[field(place)]
    pub place: Place,
}

/// The authorities that are believed.
#[derive(Clone, Debug, PartialEq, Choice)]
#[block(what = "its authorities")]
pub enum TrustSource {
    /// A file on the sidecar's machine (PEM).
    #[field(key = "ca-file", value = text::SIDECAR_FILE)]
    File(String),
    /// A secret that an SDS server gives.
    #[field(key = "ca-sds", inline)]
    Sds(SdsSecret),
    /// A certificate provider of the mesh, by its name.
    #[field(key = "ca-provider", value = mesh::NAME)]
    Provider(Name),
}

/// Where certificates come from, under a name: each sidecar gets its own.
#[derive(Clone, Debug, PartialEq, Block)]
#[block(what = "a certificate provider")]
pub struct CertificateProvider {
    /// What `provider` calls it.
    #[field(name, value = mesh::NAME)]
    pub name: Spanned<Name>,
    /// What gives certificates.
    #[field(one_of)]
    pub source: Spanned<ProviderSource>,
}

/// What gives certificates.
#[derive(Clone, Debug, PartialEq, Choice)]
#[block(what = "a source")]
pub enum ProviderSource {
    /// A folder on the sidecar's machine with `tls.crt`, `tls.key` and `ca.crt`.
    #[field(value = text::SIDECAR_FILE)]
    Folder(String),
    /// The Unix socket of an SDS server, such as SPIRE's agent.
    #[field(key = "sds-socket", value = text::SIDECAR_FILE)]
    Socket(String),
    /// An SDS server that is reached over the network.
    #[field(key = "sds-address")]
    Address(HostPort),
    /// AWS Private CA, through the control plane: the authority's ARN.
    #[field(key = "acm-pca", value = text::TEXT)]
    AcmPca(String),
}
