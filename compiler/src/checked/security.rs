//! Who is calling, who may, and what is encrypted, with names resolved.

use std::time::Duration;

use policy::{BasicAuthRule, BasicAuthUser};
use spec::Name;
use spec::mesh::{
    ApiKeySource, Cidr, Decision, Engine, FailureMode, HeaderMatch, ProviderSource, RouteMatch, TlsMode, TlsVersion,
};

use super::{Id, Service};

#[derive(Clone, Debug)]
pub struct BasicAuth {
    pub realm: String,
    /// Never empty.
    pub users: Vec<BasicAuthUser>,
    /// In order.
    pub rules: Vec<BasicAuthRule>,
    pub forward_user_header: Option<String>,
    pub hide: bool,
    pub preflight: bool,
    /// Up to a second.
    pub failure_budget: Duration,
    pub engine: Engine,
}

/// Tokens that requests must bring.
#[derive(Clone, Debug)]
pub struct Jwt {
    /// Never empty; one of them is enough.
    pub providers: Vec<Id<JwtProvider>>,
    pub optional: bool,
    pub except_path_prefix: Vec<String>,
}

/// Who signs tokens. What is not resolved stands in `said`.
#[derive(Clone, Debug)]
pub struct JwtProvider {
    pub name: Name,
    pub said: spec::mesh::JwtProvider,
    pub keys: JwtKeys,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JwtKeys {
    /// A JWKS document.
    Text(String),
    Url(String),
}

#[derive(Clone)]
pub struct ApiKey {
    pub source: ApiKeySource,
    /// Client and key. Never empty.
    pub keys: Vec<(String, String)>,
    pub forward_client_header: Option<String>,
    pub hide: bool,
}

#[derive(Clone, Debug)]
pub struct ExternalAuth {
    pub service: Id<Service>,
    pub grpc: bool,
    pub path_prefix: Option<String>,
    pub timeout: Duration,
    pub failure: FailureMode,
    pub send_headers: Vec<String>,
    pub accept_headers: Vec<String>,
    /// Zero: none of the body.
    pub max_body_bytes: u32,
    pub headers: Vec<HeaderMatch>,
}

/// Ordered rules; the first that matches decides.
#[derive(Clone, Debug)]
pub struct Authorization {
    pub default: Decision,
    pub rules: Vec<AccessRule>,
}

#[derive(Clone, Debug)]
pub struct AccessRule {
    pub decision: Decision,
    pub from: Vec<Id<Service>>,
    pub from_identity: Vec<String>,
    pub source: Vec<Cidr>,
    /// Claim and value.
    pub claims: Vec<(String, String)>,
    pub matches: RouteMatch,
}

/// How connections are accepted. Never `disabled`.
#[derive(Clone, Debug, PartialEq)]
pub struct ServerTls {
    pub mode: TlsMode,
    pub certificate: Option<Certificate>,
    pub client: Option<PeerValidation>,
    pub min_version: TlsVersion,
    pub max_version: TlsVersion,
}

/// How a service is called. Never `disabled`.
#[derive(Clone, Debug, PartialEq)]
pub struct ClientTls {
    pub mode: TlsMode,
    /// `None`: the service's name.
    pub sni: Option<String>,
    pub certificate: Option<Certificate>,
    pub server: Option<PeerValidation>,
    /// Empty: all.
    pub ports: Vec<u16>,
    pub min_version: TlsVersion,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Certificate {
    Files { chain: String, key: String },
    Sds { name: String, socket: Option<String> },
    Provider(Id<CertificateProvider>),
}

#[derive(Clone, Debug, PartialEq)]
pub struct PeerValidation {
    pub trust: Option<Trust>,
    pub subject_alt_names: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trust {
    File(String),
    Sds { name: String, socket: Option<String> },
    Provider(Id<CertificateProvider>),
}

#[derive(Clone, Debug)]
pub struct CertificateProvider {
    pub name: Name,
    pub source: ProviderSource,
}

/// Keys are secret.
impl std::fmt::Debug for ApiKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("ApiKey").field("source", &self.source).field("keys", &self.keys.len()).finish()
    }
}
