//! Rate limits that our own filter counts: what Envoy's cannot, or what the mesh wants so.

use std::time::Duration;

use policy::fault::Status;
use policy::{RateLimitConfig, RateLimitHeaders, RateLimitKey, RateLimitKeySource, RateLimitRule, Unkeyed};
use spec::mesh::{self, Engine, RateLimit};

use crate::lower::ip_access::networks;

const TOO_MANY_REQUESTS: u16 = 429;

/// What the mesh says, else ours for what only ours can do.
pub(crate) fn engine(limit: &RateLimit) -> Engine {
    match (&limit.engine, needs_wasm(limit)) {
        (Some(engine), _) => engine.value,
        (None, Some(_)) => Engine::Wasm,
        (None, None) => Engine::Native,
    }
}

/// What of a limit only our own filter can do, in the mesh's words.
pub(crate) fn needs_wasm(limit: &RateLimit) -> Option<&'static str> {
    let by_cookie = limit.keys.iter().any(|key| matches!(key.source.value, mesh::RateLimitKeySource::Cookie(_)));
    let more_than_one = limit.cost.as_ref().is_some_and(|cost| cost.value > 1);
    let apart = limit.unkeyed.as_ref().is_some_and(|unkeyed| unkeyed.value != mesh::Unkeyed::Together);
    let told = limit.headers.as_ref().is_some_and(|headers| headers.value != mesh::RateLimitHeaders::None);
    [
        (by_cookie, "by cookie"),
        (limit.keys.iter().any(|key| !key.except.is_empty()), "except"),
        (more_than_one, "cost"),
        (apart, "unkeyed"),
        (!limit.except.is_empty(), "except"),
        (limit.trusted_hops.is_some(), "trusted-hops"),
        (told, "headers"),
        (limit.body.is_some(), "body"),
    ]
    .into_iter()
    .find_map(|(said, what)| said.then_some(what))
}

/// The configuration of a filter. `owner`, which no other filter of this Envoy has, keeps its buckets its own: Envoy makes
/// one plugin of two with the same configuration.
pub(super) fn config<'a>(owner: &str, limits: impl IntoIterator<Item = &'a RateLimit>) -> RateLimitConfig {
    let rules = limits.into_iter().enumerate().map(|(number, limit)| rule(number, limit));
    RateLimitConfig { owner: owner.to_owned(), limits: rules.collect() }
}

fn rule(number: usize, said: &RateLimit) -> RateLimitRule {
    let requests = said.requests.value;
    let per = said.per.as_ref().map_or(Duration::from_secs(1), |per| per.value);
    RateLimitRule {
        name: said.name.as_ref().map_or_else(|| format!("limit-{}", number + 1), |name| name.value.clone()),
        requests,
        per_millis: u64::try_from(per.as_millis()).unwrap_or(u64::MAX),
        burst: said.burst.as_ref().map_or(requests, |burst| burst.value),
        cost: said.cost.as_ref().map_or(1, |cost| cost.value),
        keys: said.keys.iter().map(key).collect(),
        unkeyed: match said.unkeyed.as_ref().map(|unkeyed| unkeyed.value) {
            None | Some(mesh::Unkeyed::Together) => Unkeyed::Together,
            Some(mesh::Unkeyed::Pass) => Unkeyed::Pass,
            Some(mesh::Unkeyed::Refuse) => Unkeyed::Refuse,
        },
        trusted_hops: said.trusted_hops.as_ref().map_or(0, |hops| hops.value),
        except: networks(&said.except),
        shared: said.shared.as_ref().is_some_and(|shared| shared.value),
        status: Status(said.status.as_ref().map_or(TOO_MANY_REQUESTS, |status| status.value)),
        body: said.body.as_ref().map(|body| body.value.clone()).unwrap_or_default(),
        headers: match said.headers.as_ref().map(|headers| headers.value) {
            None | Some(mesh::RateLimitHeaders::None) => RateLimitHeaders::None,
            Some(mesh::RateLimitHeaders::Standard) => RateLimitHeaders::Standard,
            Some(mesh::RateLimitHeaders::Legacy) => RateLimitHeaders::Legacy,
            Some(mesh::RateLimitHeaders::Both) => RateLimitHeaders::Both,
        },
        dry_run: said.dry_run.as_ref().is_some_and(|said| said.value),
    }
}

fn key(said: &mesh::RateLimitKey) -> RateLimitKey {
    RateLimitKey {
        source: match &said.source.value {
            // Envoy calls it so, whatever the client did.
            mesh::RateLimitKeySource::Header(name) if name == "host" => {
                RateLimitKeySource::Header(":authority".to_owned())
            }
            mesh::RateLimitKeySource::Header(name) => RateLimitKeySource::Header(name.clone()),
            mesh::RateLimitKeySource::Query(name) => RateLimitKeySource::Query(name.clone()),
            mesh::RateLimitKeySource::Cookie(name) => RateLimitKeySource::Cookie(name.clone()),
            mesh::RateLimitKeySource::SourceAddress => RateLimitKeySource::Address,
            mesh::RateLimitKeySource::Caller => RateLimitKeySource::Caller,
            mesh::RateLimitKeySource::Path => RateLimitKeySource::Path,
            mesh::RateLimitKeySource::Method => RateLimitKeySource::Method,
        },
        exact: said.exact.as_ref().map(|exact| exact.value.clone()),
        except: said.except.iter().map(|except| except.value.clone()).collect(),
    }
}
