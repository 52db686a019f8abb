//! Who is calling, who may, and what is encrypted.

use std::time::Duration;

use policy::{ApiKeySource, HeaderSource};
use spec::mesh::{self, CertificateFiles, Decision, FailureMode, SdsSecret, TlsMode, TlsVersion, TrustSource};
use spec::{Diagnostics, Name, Spanned};

use super::{Context, value, values};
use crate::check::{client_secrets, credentials};
use crate::checked::{self, Certificate, CertificateProvider, Id, JwtKeys, Trust};

const EXTERNAL_TIMEOUT: Duration = Duration::from_millis(200);
const BEARER: &str = "Bearer";
const SIGNATURE_AGE: Duration = Duration::from_secs(300);
const SIGNATURE_SKEW: Duration = Duration::from_secs(30);
const REPLAY_MEMORY: u32 = 262_144;

pub(super) fn certificate_provider(declared: &mesh::CertificateProvider) -> CertificateProvider {
    CertificateProvider { name: declared.name.value.clone(), source: declared.source.value.clone() }
}

/// A file that was not read was reported when it was named.
pub(super) fn jwt_provider(context: &Context<'_>, declared: &mesh::JwtProvider) -> checked::JwtProvider {
    let keys = match &declared.keys.value {
        mesh::JwtKeys::File(path) => JwtKeys::Text(
            credentials::text(Spanned::new(path, declared.keys.span), context.sources).unwrap_or_default(),
        ),
        mesh::JwtKeys::Url(url) => JwtKeys::Url(url.clone()),
    };
    checked::JwtProvider { name: declared.name.value.clone(), said: declared.clone(), keys }
}

/// Names without a provider are a rule's to report.
pub(super) fn jwt(context: &Context<'_>, declared: &mesh::Jwt) -> checked::Jwt {
    let known = &context.mesh.jwt_providers;
    let place = |name: &Spanned<Name>| known.iter().position(|it| it.name.value.key() == name.value.key());
    checked::Jwt {
        providers: declared.providers.iter().filter_map(place).map(Id::new).collect(),
        optional: value(&declared.optional).unwrap_or(false),
        except_path_prefix: values(&declared.except_path_prefix),
    }
}

pub(super) fn api_key(
    context: &Context<'_>,
    declared: &mesh::ApiKey,
    diagnostics: &mut Diagnostics,
) -> checked::ApiKey {
    let scheme = value(&declared.scheme).unwrap_or_else(|| BEARER.to_owned());
    let header = |name: &Spanned<String>| {
        let name = name.value.to_ascii_lowercase();
        let scheme = (name == "authorization").then(|| scheme.clone());
        ApiKeySource::Header(HeaderSource { name, scheme })
    };
    let headers = declared.headers.iter().map(header);
    let queries = declared.queries.iter().map(|name| ApiKeySource::Query(name.value.clone()));
    let cookies = declared.cookies.iter().map(|name| ApiKeySource::Cookie(name.value.clone()));
    checked::ApiKey {
        sources: headers.chain(queries).chain(cookies).collect(),
        keys: client_secrets::keys(declared, context.sources, diagnostics),
        clients: values(&declared.clients),
        realm: context.mesh.name.value.to_string(),
        forward_client_header: value(&declared.forward_client_header),
        hide: value(&declared.hide).unwrap_or(true),
        said_engine: value(&declared.engine).unwrap_or_default(),
    }
}

pub(super) fn hmac_signature(
    context: &Context<'_>,
    declared: &mesh::HmacSignature,
    diagnostics: &mut Diagnostics,
) -> checked::HmacSignature {
    let mut components: Vec<String> =
        declared.components.iter().map(|component| component.value.to_ascii_lowercase()).collect();
    if components.is_empty() {
        components = ["@method", "@authority", "@path", "@query"].map(str::to_owned).to_vec();
    }
    checked::HmacSignature {
        keys: client_secrets::secrets(declared, context.sources, diagnostics),
        components,
        label: value(&declared.label),
        tag: value(&declared.tag),
        max_age: value(&declared.max_age).unwrap_or(SIGNATURE_AGE),
        clock_skew: value(&declared.clock_skew).unwrap_or(SIGNATURE_SKEW),
        require_nonce: value(&declared.require_nonce).unwrap_or(false),
        replay_memory: value(&declared.replay_memory).unwrap_or(REPLAY_MEMORY),
        check_body: value(&declared.check_body).unwrap_or(true),
        clients: values(&declared.clients),
        forward_client_header: value(&declared.forward_client_header),
    }
}

pub(super) fn external_auth(
    context: &Context<'_>,
    declared: &mesh::ExternalAuth,
    diagnostics: &mut Diagnostics,
) -> Option<checked::ExternalAuth> {
    Some(checked::ExternalAuth {
        service: context.tables.service(declared.service.as_ref(), diagnostics)?,
        grpc: value(&declared.grpc).unwrap_or(false),
        path_prefix: value(&declared.path_prefix),
        timeout: value(&declared.timeout).unwrap_or(EXTERNAL_TIMEOUT),
        failure: value(&declared.failure).unwrap_or(FailureMode::Closed),
        send_headers: values(&declared.send_header),
        accept_headers: values(&declared.accept_header),
        max_body_bytes: value(&declared.max_body_bytes).unwrap_or(0),
        headers: declared.headers.clone(),
    })
}

/// Callers that do not exist are a rule's to report: what `defaults` says is resolved for every service.
pub(super) fn authorization(context: &Context<'_>, declared: &mesh::Authorization) -> checked::Authorization {
    let mut rules = Vec::new();
    for rule in &declared.rules {
        let from = rule.from.iter().filter_map(|name| context.tables.find_service(&name.value)).collect();
        // A claim without `=` is refused by its reader.
        let claim = |said: &Spanned<String>| {
            let (claim, value) = said.value.split_once('=')?;
            Some((claim.to_owned(), value.to_owned()))
        };
        rules.push(checked::AccessRule {
            decision: rule.decision.value,
            from,
            from_identity: values(&rule.from_identity),
            source: values(&rule.source),
            claims: rule.claim.iter().filter_map(claim).collect(),
            matches: rule.matches.clone(),
        });
    }
    checked::Authorization { default: value(&declared.default).unwrap_or(Decision::Deny), rules }
}

/// `None` where nothing is encrypted.
pub(super) fn server_tls(context: &Context<'_>, declared: &mesh::ServerTls) -> Option<checked::ServerTls> {
    let mode = value(&declared.mode).unwrap_or(TlsMode::Strict);
    (mode != TlsMode::Disabled).then(|| checked::ServerTls {
        mode,
        certificate: declared.certificate.as_ref().and_then(|it| certificate(context, it)),
        client: declared.client.as_ref().map(|it| peer(context, it)),
        min_version: value(&declared.min_version).unwrap_or(TlsVersion::Tls12),
        max_version: value(&declared.max_version).unwrap_or(TlsVersion::Tls13),
    })
}

/// `None` where nothing is encrypted.
pub(super) fn client_tls(context: &Context<'_>, declared: &mesh::ClientTls) -> Option<checked::ClientTls> {
    let mode = value(&declared.mode).unwrap_or(TlsMode::Strict);
    (mode != TlsMode::Disabled).then(|| checked::ClientTls {
        mode,
        sni: value(&declared.sni),
        certificate: declared.certificate.as_ref().and_then(|it| certificate(context, it)),
        server: declared.server.as_ref().map(|it| peer(context, it)),
        ports: values(&declared.ports),
        min_version: value(&declared.min_version).unwrap_or(TlsVersion::Tls12),
    })
}

/// A provider that does not exist is a rule's to report.
pub(super) fn certificate(context: &Context<'_>, declared: &mesh::CertificateSource) -> Option<Certificate> {
    Some(match &declared.source.value {
        CertificateFiles::Files(pair) => {
            Certificate::Files { chain: pair.chain.value.clone(), key: pair.key.value.clone() }
        }
        CertificateFiles::Sds(SdsSecret { name, socket }) => {
            Certificate::Sds { name: name.value.clone(), socket: value(socket) }
        }
        CertificateFiles::Provider(name) => Certificate::Provider(provider(context, name)?),
    })
}

fn peer(context: &Context<'_>, declared: &mesh::PeerValidation) -> checked::PeerValidation {
    let trust = declared.trust.as_ref().and_then(|trust| {
        Some(match &trust.value {
            TrustSource::File(path) => Trust::File(path.clone()),
            TrustSource::Sds(SdsSecret { name, socket }) => {
                Trust::Sds { name: name.value.clone(), socket: value(socket) }
            }
            TrustSource::Provider(name) => Trust::Provider(provider(context, name)?),
        })
    });
    checked::PeerValidation { trust, subject_alt_names: values(&declared.subject_alt_name) }
}

fn provider(context: &Context<'_>, name: &Name) -> Option<Id<CertificateProvider>> {
    let known = &context.mesh.certificate_providers;
    known.iter().position(|it| it.name.value.key() == name.key()).map(Id::new)
}
