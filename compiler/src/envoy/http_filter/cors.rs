//! `envoy.filters.http.cors`: answers the preflight requests of browsers, and tells them what pages may read.

use envoy::extensions::filters::http::cors::v3::{Cors as Filter, CorsPolicy};
use envoy::r#type::matcher::v3::{RegexMatcher, StringMatcher, string_matcher::MatchPattern};
use prost_types::Any;
use spec::mesh::Cors;

use super::{HttpFilter, Rank, typed};

/// The filter's name, under which routes say their rules.
pub(crate) const NAME: &str = "envoy.filters.http.cors";

/// The filter, which does nothing where no route says rules.
pub(crate) fn filter() -> HttpFilter {
    typed(Rank::Cors, NAME, &Filter {})
}

/// The rules of a route.
pub(crate) fn policy(cors: &Cors) -> Any {
    // To the filter, `*` is any origin.
    let exact = cors.allow_origin.iter().map(|origin| MatchPattern::Exact(origin.value.clone()));
    let regex = cors
        .allow_origin_regex
        .iter()
        .map(|said| MatchPattern::SafeRegex(RegexMatcher { regex: said.value.clone(), ..Default::default() }));
    let join =
        |names: &[spec::Spanned<String>]| names.iter().map(|name| name.value.as_str()).collect::<Vec<_>>().join(",");
    let methods: Vec<&str> = cors.allow_method.iter().map(|method| method.value.as_str()).collect();
    envoy::any(&CorsPolicy {
        allow_origin_string_match: exact
            .chain(regex)
            .map(|pattern| StringMatcher { match_pattern: Some(pattern), ..Default::default() })
            .collect(),
        allow_methods: methods.join(","),
        allow_headers: join(&cors.allow_header),
        expose_headers: join(&cors.expose_header),
        max_age: cors.max_age.as_ref().map(|age| age.value.as_secs().to_string()).unwrap_or_default(),
        allow_credentials: cors.allow_credentials.as_ref().map(|said| said.value),
        ..Default::default()
    })
}
