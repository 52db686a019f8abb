//! `envoy.filters.http.local_ratelimit`: buckets of tokens, a filter for each limit that a request must pass.

use std::time::Duration;

use envoy::config::core::v3::RuntimeFractionalPercent;
use envoy::config::route::v3::{
    HeaderMatcher, RateLimit as Descriptor,
    rate_limit::{
        Action,
        action::{ActionSpecifier, GenericKey, HeaderValueMatch},
    },
};
use envoy::extensions::common::ratelimit::v3::{LocalRateLimitDescriptor, rate_limit_descriptor::Entry};
use envoy::extensions::filters::http::local_ratelimit::v3::LocalRateLimit;
use envoy::r#type::v3::{FractionalPercent, HttpStatus, TokenBucket, fractional_percent::DenominatorType};
use policy::HEALTH_CHECK_HEADER;
use spec::mesh::{RateLimit, RateLimitKeySource};

use super::{HttpFilter, Rank, typed};
use crate::envoy::duration;
use crate::envoy::route::{header_is_there, path_is};

/// How many values of its keys a limit knows at once; that which was not seen for longest is forgotten for a new one.
const MAX_VALUES: u32 = 10_000;
/// Values are compared by so many bytes: what a caller sends must not fill the memory.
const COMPARED_BYTES: usize = 256;
/// Stands for a key that a request does not have.
const ABSENT: &str = "(none)";

/// Whose limits: a request must pass those of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    /// A gateway, or the service at its own sidecar.
    Owner,
    /// A route, or a gateway's host.
    Route,
}

/// The place for the limit of this number, disabled where nothing is said of it.
pub(crate) fn place(level: Level, number: usize) -> HttpFilter {
    let empty = LocalRateLimit { stat_prefix: stat_prefix(level), ..Default::default() };
    typed(Rank::RateLimit, name(level, number), &empty)
}

/// What a virtual host or route says of such a place.
pub(crate) fn limit(limit: &RateLimit, level: Level, health_check: Option<&str>) -> LocalRateLimit {
    let requests = limit.requests.value;
    let bucket = TokenBucket {
        max_tokens: limit.burst.as_ref().map_or(requests, |burst| burst.value),
        tokens_per_fill: Some(requests),
        fill_interval: Some(duration(limit.per.as_ref().map_or(Duration::from_secs(1), |per| per.value))),
    };
    let mut parts: Vec<(Action, Entry)> = health_check.map(counted).into_iter().collect();
    for key in &limit.keys {
        let exact = key.exact.as_ref().map(|exact| exact.value.as_str());
        parts.push(keyed(&key.source.value, exact, parts.len()));
    }
    let wildcards = limit.keys.iter().any(|key| key.exact.is_none());
    let (actions, entries): (Vec<Action>, Vec<Entry>) = parts.into_iter().unzip();
    let always = RuntimeFractionalPercent {
        default_value: Some(FractionalPercent { numerator: 100, denominator: DenominatorType::Hundred.into() }),
        ..Default::default()
    };
    let is_dry_run = limit.dry_run.as_ref().is_some_and(|said| said.value);
    let never = RuntimeFractionalPercent { default_value: Some(FractionalPercent::default()), ..Default::default() };
    let by_descriptors = !actions.is_empty();
    LocalRateLimit {
        stat_prefix: stat_prefix(level),
        status: limit.status.as_ref().map(|status| HttpStatus { code: i32::from(status.value) }),
        token_bucket: Some(if by_descriptors { endless() } else { bucket }),
        filter_enabled: Some(always.clone()),
        filter_enforced: Some(if is_dry_run { never } else { always }),
        rate_limited_as_resource_exhausted: true,
        descriptors: if by_descriptors {
            vec![LocalRateLimitDescriptor { entries, token_bucket: Some(bucket), ..Default::default() }]
        } else {
            Vec::new()
        },
        rate_limits: if by_descriptors { vec![Descriptor { actions, ..Default::default() }] } else { Vec::new() },
        max_dynamic_descriptors: wildcards.then_some(MAX_VALUES),
        ..Default::default()
    }
}

fn name(level: Level, number: usize) -> String {
    let level = match level {
        Level::Owner => "",
        Level::Route => ".route",
    };
    format!("envoy.filters.http.local_ratelimit{level}.{number}")
}

fn stat_prefix(level: Level) -> String {
    match level {
        Level::Owner => "rate_limit",
        Level::Route => "route_rate_limit",
    }
    .to_owned()
}

/// For requests that no descriptor is made for: never empty.
fn endless() -> TokenBucket {
    TokenBucket {
        max_tokens: u32::MAX,
        tokens_per_fill: Some(u32::MAX),
        fill_interval: Some(duration(Duration::from_millis(50))),
    }
}

/// Everything but the mesh's own health checks of this path.
fn counted(health_check: &str) -> (Action, Entry) {
    let checks: Vec<HeaderMatcher> = vec![header_is_there(HEALTH_CHECK_HEADER), path_is(health_check)];
    let action = ActionSpecifier::HeaderValueMatch(HeaderValueMatch {
        descriptor_key: "health-check".to_owned(),
        descriptor_value: "no".to_owned(),
        expect_match: Some(false),
        headers: checks,
        ..Default::default()
    });
    (Action { action_specifier: Some(action) }, Entry { key: "health-check".to_owned(), value: "no".to_owned() })
}

/// A key by its place in the descriptor; an entry without value is a bucket for each.
fn keyed(source: &RateLimitKeySource, exact: Option<&str>, place: usize) -> (Action, Entry) {
    let operator = match source {
        RateLimitKeySource::Header(name) => format!("REQ({name})"),
        RateLimitKeySource::Query(name) => format!("QUERY_PARAM({name})"),
        // Of one that repeats it would be the first: our own filter counts by cookies.
        RateLimitKeySource::Cookie(name) => format!("COOKIE({name})"),
        RateLimitKeySource::Caller => "DOWNSTREAM_PEER_URI_SAN".to_owned(),
        RateLimitKeySource::SourceAddress => "DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT".to_owned(),
        RateLimitKeySource::Path => "PATH(NQ)".to_owned(),
        RateLimitKeySource::Method => "REQ(:METHOD)".to_owned(),
    };
    let shortened = match source {
        // Envoy takes no length of these.
        RateLimitKeySource::SourceAddress | RateLimitKeySource::Caller => String::new(),
        _ => format!(":{COMPARED_BYTES}"),
    };
    let key = format!("key-{place}");
    let action = ActionSpecifier::GenericKey(GenericKey {
        descriptor_key: key.clone(),
        descriptor_value: format!("%{operator}{shortened}%"),
        default_value: ABSENT.to_owned(),
    });
    let value = exact.map(within).unwrap_or_default().to_owned();
    (Action { action_specifier: Some(action) }, Entry { key, value })
}

/// A value as it is compared.
fn within(value: &str) -> &str {
    let end = (0..=value.len().min(COMPARED_BYTES)).rev().find(|end| value.is_char_boundary(*end)).unwrap_or(0);
    value.get(..end).unwrap_or("")
}
