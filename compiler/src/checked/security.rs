//! Who is calling, who may, and what is encrypted, with names resolved.

use std::time::Duration;

use policy::{ApiKeySource, BasicAuthRule, BasicAuthUser, GivenKey, SigningKey};
use spec::Name;
use spec::mesh::{Cidr, Decision, Engine, FailureMode, HeaderMatch, ProviderSource, RouteMatch, TlsMode, TlsVersion};

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

#[derive(Clone, Debug)]
pub struct ApiKey {
    /// Never empty.
    pub sources: Vec<ApiKeySource>,
    /// Client and key. Never empty.
    pub keys: Vec<(String, GivenKey)>,
    /// Empty: all.
    pub clients: Vec<String>,
    pub realm: String,
    pub forward_client_header: Option<String>,
    pub hide: bool,
    /// Not always the one that does it: see [`ApiKey::needs_wasm`].
    pub said_engine: Engine,
}

impl ApiKey {
    /// What Envoy's own filter does not have, if something of it is wanted.
    pub fn needs_wasm(&self) -> Option<&'static str> {
        let other_scheme = |source: &ApiKeySource| match source {
            ApiKeySource::Header(header) => header.scheme.as_ref().is_some_and(|scheme| scheme != "Bearer"),
            ApiKeySource::Query(_) | ApiKeySource::Cookie(_) => false,
        };
        if !self.clients.is_empty() {
            return Some("client");
        }
        if self.sources.iter().any(other_scheme) {
            return Some("scheme");
        }
        self.keys.iter().any(|(_, key)| matches!(key, GivenKey::Hashed(_))).then_some("{SHA256}")
    }

    /// Who does it.
    pub fn engine(&self) -> Engine {
        if self.needs_wasm().is_some() { Engine::Wasm } else { self.said_engine }
    }
}

/// Requests that their callers have signed.
#[derive(Clone, Debug)]
pub struct HmacSignature {
    /// Never empty.
    pub keys: Vec<SigningKey>,
    pub components: Vec<String>,
    pub label: Option<String>,
    pub tag: Option<String>,
    pub max_age: Duration,
    pub clock_skew: Duration,
    pub require_nonce: bool,
    /// Zero: none.
    pub replay_memory: u32,
    pub check_body: bool,
    /// Empty: all.
    pub clients: Vec<String>,
    pub forward_client_header: Option<String>,
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
