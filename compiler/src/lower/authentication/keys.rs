//! Who signs tokens, and where the public keys are.

use std::sync::Arc;
use std::time::Duration;

use spec::Spanned;

use super::super::scope::Scope;
use super::super::url::{self, Server};
use super::super::{Parts, cluster};
use crate::checked::{Destination, Id, JwtKeys, JwtProvider};
use crate::envoy::http_filter::jwt::{Keys, Provider};
use crate::envoy::names;
use crate::envoy::outside::{encrypted_to, plain_to};

const CACHE: Duration = Duration::from_secs(5 * 60);
const CLOCK_SKEW: Duration = Duration::from_secs(60);

/// A provider of tokens under its name.
pub(super) fn provider(scope: &Scope<'_>, id: Id<JwtProvider>, parts: &mut Parts) -> (String, Provider) {
    let provider = scope.mesh.jwt_provider(id);
    let said = &provider.said;
    let texts = |said: &[Spanned<String>]| said.iter().map(|text| text.value.clone()).collect::<Vec<_>>();
    let text = |said: &Option<Spanned<String>>| said.as_ref().map(|said| said.value.clone()).unwrap_or_default();
    let keys = match &provider.keys {
        JwtKeys::Text(jwks) => Keys::Text(jwks.clone()),
        JwtKeys::Url(url) => Keys::Fetched {
            url: url.clone(),
            cluster: fetched_from(scope, url, parts),
            kept: said.cache.as_ref().map_or(CACHE, |said| said.value),
        },
    };
    let headers = texts(&said.from_header);
    // Envoy itself would look into `access_token` of the query, too.
    let nowhere_said = headers.is_empty() && said.from_query.is_empty() && said.from_cookie.is_empty();
    let lowered = Provider {
        issuer: text(&said.issuer),
        audiences: texts(&said.audiences),
        keys,
        from_headers: if nowhere_said { vec!["authorization".to_owned()] } else { headers },
        from_query: texts(&said.from_query),
        from_cookies: texts(&said.from_cookie),
        forward: said.forward.as_ref().is_some_and(|said| said.value),
        claims_header: text(&said.forward_claims_header),
        clock_skew: said.clock_skew.as_ref().map_or(CLOCK_SKEW, |said| said.value),
    };
    (provider.name.key(), lowered)
}

/// The cluster of a URL's host: a service of the mesh, or a server of the outside world.
fn fetched_from(scope: &Scope<'_>, url: &str, parts: &mut Parts) -> String {
    let Server { encrypted, at } = url::server(url);
    let service = scope.mesh.services().find(|(_, service)| service.name.key() == at.host.to_ascii_lowercase());
    if let Some((service, _)) = service {
        let to = Destination { service, subset: None };
        cluster::remote(scope, to, parts);
        return names::destination(scope.mesh, to);
    }
    let name = names::keys_cluster(&at);
    let made = if encrypted { encrypted_to(name.clone(), &at) } else { plain_to(name.clone(), &at) };
    parts.cluster(Arc::new(made));
    name
}
