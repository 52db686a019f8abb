//! `envoy.filters.http.api_key_auth`: keys of callers.

use envoy::extensions::filters::http::api_key_auth::v3::{ApiKeyAuth, Credential, Forwarding, KeySource};
use spec::mesh::ApiKeySource;

use super::{HttpFilter, Rank, typed};
use crate::envoy::names;

/// Answers 401 to requests without one of the keys.
pub(crate) fn api_key(
    owner: &str,
    source: &ApiKeySource,
    keys: &[(String, String)],
    client_header: Option<&str>,
    hide: bool,
) -> HttpFilter {
    let credential = |(client, key): &(String, String)| Credential { key: key.clone(), client: client.clone() };
    let source = match source {
        ApiKeySource::Header(header) => KeySource { header: header.clone(), ..Default::default() },
        ApiKeySource::Query(query) => KeySource { query: query.clone(), ..Default::default() },
        ApiKeySource::Cookie(cookie) => KeySource { cookie: cookie.clone(), ..Default::default() },
    };
    let config = ApiKeyAuth {
        credentials: keys.iter().map(credential).collect(),
        key_sources: vec![source],
        forwarding: Some(Forwarding { header: client_header.unwrap_or_default().to_owned(), hide_credentials: hide }),
    };
    typed(Rank::ApiKey, names::filter("api_key_auth", owner), &config)
}
