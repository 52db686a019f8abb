//! `envoy.filters.http.jwt_authn`: signed tokens.

use std::collections::BTreeMap;
use std::time::Duration;

use envoy::config::core::v3::{DataSource, HttpUri, data_source, http_uri::HttpUpstreamType};
use envoy::config::route::v3::{RouteMatch, route_match::PathSpecifier};
use envoy::extensions::filters::http::jwt_authn::v3::{
    JwtAuthentication, JwtHeader, JwtProvider, JwtRequirement, JwtRequirementOrList, RemoteJwks, RequirementRule,
    jwt_provider::JwksSourceSpecifier, jwt_requirement::RequiresType, requirement_rule::RequirementType,
};

use super::{HttpFilter, Rank, typed};
use crate::envoy::{duration, names, rbac};

/// Time limit of fetching keys.
const FETCH_TIMEOUT: Duration = Duration::from_secs(5);

/// Who signs tokens.
pub(crate) struct Provider {
    pub issuer: String,
    pub audiences: Vec<String>,
    pub keys: Keys,
    pub from_headers: Vec<String>,
    pub from_query: Vec<String>,
    pub from_cookies: Vec<String>,
    /// Whether the application gets the token.
    pub forward: bool,
    pub claims_header: String,
    pub clock_skew: Duration,
}

/// Where public keys are.
pub(crate) enum Keys {
    /// A JWKS document.
    Text(String),
    /// What a server of this cluster answers.
    Fetched { url: String, cluster: String, kept: Duration },
}

/// Of which requests tokens are asked.
pub(crate) struct Asked {
    pub optional: bool,
    /// Paths that begin so need none.
    pub except: Vec<String>,
}

/// Answers 401 to requests without a good token of one of the providers. Claims go to metadata: [`rbac::claim`].
///
/// Where no token is needed, one that is there is read all the same: its claims, and nothing that the caller wrote in
/// the claims' header, reach the application.
pub(crate) fn jwt(owner: &str, providers: BTreeMap<String, Provider>, asked: &Asked) -> HttpFilter {
    let named = |name: &String| requirement(RequiresType::ProviderName(name.clone()));
    let good: Vec<JwtRequirement> = providers.keys().map(named).collect();
    let or = |other: RequiresType| any(good.iter().cloned().chain([requirement(other)]).collect());
    let required = match asked.optional {
        true => or(RequiresType::AllowMissing(())),
        false => any(good.clone()),
    };
    let exempt = asked.except.iter().map(|prefix| rule(prefix, or(RequiresType::AllowMissingOrFailed(()))));
    let config = JwtAuthentication {
        rules: exempt.chain([everything(required)]).collect(),
        providers: providers.into_iter().map(|(name, it)| (name, provider(it))).collect(),
        ..Default::default()
    };
    typed(Rank::Jwt, names::filter("jwt_authn", owner), &config)
}

fn provider(parts: Provider) -> JwtProvider {
    JwtProvider {
        issuer: parts.issuer,
        audiences: parts.audiences,
        forward: parts.forward,
        from_headers: parts.from_headers.into_iter().map(header).collect(),
        from_params: parts.from_query,
        from_cookies: parts.from_cookies,
        forward_payload_header: parts.claims_header,
        payload_in_metadata: rbac::CLAIMS.to_owned(),
        clock_skew_seconds: u32::try_from(parts.clock_skew.as_secs()).unwrap_or(u32::MAX),
        jwks_source_specifier: Some(match parts.keys {
            Keys::Text(jwks) => JwksSourceSpecifier::LocalJwks(DataSource {
                specifier: Some(data_source::Specifier::InlineString(jwks)),
                ..Default::default()
            }),
            Keys::Fetched { url, cluster, kept } => JwksSourceSpecifier::RemoteJwks(RemoteJwks {
                http_uri: Some(HttpUri {
                    uri: url,
                    timeout: Some(duration(FETCH_TIMEOUT)),
                    http_upstream_type: Some(HttpUpstreamType::Cluster(cluster)),
                }),
                cache_duration: Some(duration(kept)),
                ..Default::default()
            }),
        }),
        ..Default::default()
    }
}

/// `authorization` holds the token behind its scheme, other headers hold nothing else.
fn header(name: String) -> JwtHeader {
    let value_prefix = if name.eq_ignore_ascii_case("authorization") { "Bearer ".to_owned() } else { String::new() };
    JwtHeader { name, value_prefix }
}

fn rule(prefix: &str, requires: JwtRequirement) -> RequirementRule {
    on(PathSpecifier::Prefix(prefix.to_owned()), requires)
}

/// `OPTIONS *` has a path that does not begin with a slash, `CONNECT` has none.
fn everything(requires: JwtRequirement) -> RequirementRule {
    on(PathSpecifier::Prefix(String::new()), requires)
}

fn on(path: PathSpecifier, requires: JwtRequirement) -> RequirementRule {
    RequirementRule {
        r#match: Some(RouteMatch { path_specifier: Some(path), ..Default::default() }),
        requirement_type: Some(RequirementType::Requires(requires)),
    }
}

/// One of them; never empty.
fn any(mut requirements: Vec<JwtRequirement>) -> JwtRequirement {
    match (requirements.len(), requirements.pop()) {
        (1, Some(only)) => only,
        (_, last) => {
            requirements.extend(last);
            requirement(RequiresType::RequiresAny(JwtRequirementOrList { requirements }))
        }
    }
}

fn requirement(kind: RequiresType) -> JwtRequirement {
    JwtRequirement { requires_type: Some(kind) }
}
