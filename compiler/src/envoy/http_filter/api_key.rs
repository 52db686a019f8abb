//! `envoy.filters.http.api_key_auth`: keys of callers.

use envoy::extensions::filters::http::api_key_auth::v3::{ApiKeyAuth, Credential, Forwarding, KeySource};
use policy::{ApiKeySource, GivenKey};

use super::{HttpFilter, Rank, typed};
use crate::checked::ApiKey;
use crate::envoy::names;

/// Answers 401 to requests without one of the keys. Of several values it trusts the first.
pub(crate) fn api_key(owner: &str, auth: &ApiKey) -> HttpFilter {
    let credential = |(client, key): &(String, GivenKey)| match key {
        GivenKey::Plain(key) => Some(Credential { key: key.clone(), client: client.clone() }),
        // Whoever has hashes has our filter.
        GivenKey::Hashed(_) => None,
    };
    let source = |source: &ApiKeySource| match source.clone() {
        ApiKeySource::Header(header) => KeySource { header: header.name, ..Default::default() },
        ApiKeySource::Query(query) => KeySource { query, ..Default::default() },
        ApiKeySource::Cookie(cookie) => KeySource { cookie, ..Default::default() },
    };
    let header = auth.forward_client_header.clone().unwrap_or_default();
    let config = ApiKeyAuth {
        credentials: auth.keys.iter().filter_map(credential).collect(),
        key_sources: auth.sources.iter().map(source).collect(),
        forwarding: Some(Forwarding { header, hide_credentials: auth.hide }),
    };
    typed(Rank::ApiKey, names::filter("api_key_auth", owner), &config)
}
