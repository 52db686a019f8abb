//! `envoy.filters.http.health_check`: answers the mesh's own health checks from the last result.

use std::time::Duration;

use envoy::config::route::v3::HeaderMatcher;
use envoy::extensions::filters::http::health_check::v3::HealthCheck;
use policy::HEALTH_CHECK_HEADER;

use super::{HttpFilter, Rank, typed};
use crate::envoy::duration;
use crate::envoy::route::{authority_is, header_is_there, method_is, path_is};

/// Answers checks of `path` on `host` (none: on any) from the last result while that is younger than `cache`.
pub(crate) fn cached(host: Option<&str>, path: &str, cache: Duration) -> HttpFilter {
    // Only the mesh's own checks: an answer to anybody else's request must not become the cached one.
    let check = [method_is("GET"), path_is(path)].into_iter().chain(host.map(authority_is));
    let headers: Vec<HeaderMatcher> = check.chain([header_is_there(HEALTH_CHECK_HEADER)]).collect();
    let config = HealthCheck {
        pass_through_mode: Some(true),
        cache_time: (!cache.is_zero()).then(|| duration(cache)),
        headers,
        ..Default::default()
    };
    typed(Rank::HealthCheck, "envoy.filters.http.health_check", &config)
}
