//! Rate limits: buckets that fill steadily and that each request takes tokens from.
//!
//! A request must pass every limit that counts it, and takes from none of them unless from all. Each worker of an Envoy
//! counts for itself, but for limits that are `shared`: these are all workers' and exact.

mod bucket;
mod headers;
mod key;
mod memory;
mod table;

use alloc::borrow::Cow;
use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use serde::Serialize;

use self::bucket::{Level, Rate};
pub use self::headers::RateLimitHeaders;
use self::headers::Said;
use self::key::Part;
pub use self::key::{RateLimitKey, RateLimitKeySource};
use self::memory::{Key, Memory};
use crate::client::{self, Network, Networks};
use crate::condition::View;
use crate::decode::config;
use crate::fault::Status;
use crate::{Counter, Decode, Edits, Env, HeaderEdit, HttpPolicy, Invalid, LocalReply, Request, Verdict};

/// The filter's root id in the wasm module.
pub const RATE_LIMIT_ROOT_ID: &str = "rate-limit";

/// gRPC's name of a refusal, whatever the HTTP status.
const RESOURCE_EXHAUSTED: u8 = 8;

config! {
    /// One plugin.
    pub struct RateLimitConfig {
        /// What tells the shared limits of this plugin from others' in the same Envoy.
        pub owner: String = String::new(),
        /// The limits, in order. The first that refuses a request answers it.
        pub limits: Vec<RateLimitRule>,
    }
}

config! {
    /// One limit.
    pub struct RateLimitRule {
        /// What clients are told that it is called.
        pub name: String,
        /// So many requests, from 1 …
        pub requests: u32,
        /// … in this time, from 1 ms.
        pub per_millis: u64 = 1000,
        /// So many at once, after silence, from 1.
        pub burst: u32,
        /// How many tokens a request takes.
        pub cost: u32 = 1,
        /// Requests are counted apart by these; all together when there are none.
        pub keys: Vec<RateLimitKey>,
        /// What becomes of requests that lack a key.
        pub unkeyed: Unkeyed = Unkeyed::Together,
        /// How many entries at the end of `x-forwarded-for` trusted proxies have written, for the client's address.
        pub trusted_hops: u32 = 0,
        /// Clients whose requests are not counted.
        pub except: Vec<Network>,
        /// Whether all workers take from the same buckets.
        pub shared: bool = false,
        /// What a refused request is answered.
        pub status: Status = Status(429),
        /// The body of that answer.
        pub body: String = String::new(),
        /// What clients are told of it.
        pub headers: RateLimitHeaders = RateLimitHeaders::None,
        /// Whether refusals are only counted.
        pub dry_run: bool = false,
    }
}

/// What becomes of requests that lack a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unkeyed {
    /// They share a bucket.
    Together,
    /// They are not counted.
    Pass,
    /// They are refused.
    Refuse,
}

impl Decode for Unkeyed {
    fn decode(value: serde_json::Value) -> Result<Unkeyed, Invalid> {
        match value.as_str() {
            Some("together") => Ok(Unkeyed::Together),
            Some("pass") => Ok(Unkeyed::Pass),
            Some("refuse") => Ok(Unkeyed::Refuse),
            _ => Err(Invalid::new("`together`, `pass` or `refuse` is expected")),
        }
    }
}

/// A prepared [`RateLimitConfig`], and how full its buckets are.
#[derive(Debug)]
pub struct RateLimit {
    limits: Vec<Limit>,
    reads_headers: bool,
}

#[derive(Debug)]
struct Limit {
    rule: RateLimitRule,
    rate: Rate,
    except: Networks,
    memory: Memory,
}

/// Whether a limit counts a request, and by which key.
enum Counted {
    By(Key),
    No,
    Refused,
}

impl HttpPolicy for RateLimit {
    type Config = RateLimitConfig;
    const ROOT_ID: &'static str = RATE_LIMIT_ROOT_ID;
    const COUNTERS: &'static [Counter] = &[Counter::RateLimitLimited];

    fn new(config: RateLimitConfig) -> RateLimit {
        let owner = config.owner;
        let limits = config.limits.into_iter().enumerate();
        let limits: Vec<Limit> = limits.map(|(number, rule)| Limit::new(&owner, number, rule)).collect();
        let reads_headers = limits.iter().flat_map(|limit| &limit.rule.keys).any(RateLimitKey::reads_headers);
        RateLimit { limits, reads_headers }
    }

    fn on_request(&mut self, request: &mut dyn Request, env: &mut dyn Env) -> Verdict {
        let mut view = View::of(request);
        if self.reads_headers {
            view.headers();
        }
        let nanos = env.monotonic_nanos();
        let mut taken: Vec<(usize, Key, Level)> = Vec::new();
        for place in 0..self.limits.len() {
            let Some(limit) = self.limits.get_mut(place) else { break };
            let refusal = match limit.counts(&mut view, env) {
                Counted::No => continue,
                Counted::Refused => None,
                Counted::By(key) => match limit.take(&key, nanos, env) {
                    Ok(level) => {
                        taken.push((place, key, level));
                        continue;
                    }
                    Err(level) => Some(level),
                },
            };
            env.count(Counter::RateLimitLimited);
            if limit.rule.dry_run {
                continue;
            }
            let reply = limit.reply(refusal);
            for (place, key, _) in taken {
                if let Some(limit) = self.limits.get_mut(place) {
                    limit.give_back(&key, env);
                }
            }
            return Verdict::Respond(reply);
        }
        self.passes(&taken)
    }
}

impl RateLimit {
    fn passes(&self, taken: &[(usize, Key, Level)]) -> Verdict {
        let said = taken.iter().filter_map(|(place, _, level)| Some(self.limits.get(*place)?.said(*level)));
        let said: Vec<Said<'_>> = said.filter(|said| said.headers != RateLimitHeaders::None).collect();
        if said.is_empty() {
            return Verdict::PASS;
        }
        let replace =
            |(name, value): (&str, String)| HeaderEdit::Replace { name: name.to_owned(), value: value.into() };
        let response = headers::of(&said).into_iter().map(replace).collect();
        Verdict::Continue(Edits { request: Vec::new(), response })
    }
}

impl Limit {
    fn new(owner: &str, number: usize, rule: RateLimitRule) -> Limit {
        let rate = Rate::new(rule.requests, rule.per_millis, rule.burst);
        let memory = match (rule.shared, rule.keys.is_empty()) {
            (true, is_single) => {
                // Another rate is another bucket: its time is counted otherwise.
                let rate = format!("{}/{}/{}", rule.requests, rule.per_millis, rule.burst);
                Memory::shared(&format!("meshwright.rate-limit.{owner}.{number}."), &rate, is_single)
            }
            (false, true) => Memory::single(),
            (false, false) => Memory::own(),
        };
        Limit { rate, except: Networks::new(&rule.except), memory, rule }
    }

    fn counts(&mut self, view: &mut View<'_>, env: &mut dyn Env) -> Counted {
        let hops = self.rule.trusted_hops;
        let is_spared = |client| self.except.contain(client);
        if !self.except.is_empty() && client::address(view.request(), hops).is_some_and(is_spared) {
            return Counted::No;
        }
        if self.rule.keys.is_empty() {
            return Counted::By(Key::default());
        }
        let mut text = Vec::new();
        let (mut is_missing, mut is_ambiguous) = (false, false);
        for key in &self.rule.keys {
            match key.write(view, hops, &mut text) {
                Part::Passes => return Counted::No,
                Part::Missing => is_missing = true,
                Part::Ambiguous => is_ambiguous = true,
                Part::Known => {}
            }
        }
        match self.rule.unkeyed {
            // Whoever says a key twice must not get past the limit by it.
            Unkeyed::Pass if is_missing && !is_ambiguous => Counted::No,
            Unkeyed::Refuse if is_missing || is_ambiguous => Counted::Refused,
            _ => Counted::By(self.memory.key(&text, env)),
        }
    }

    fn take(&mut self, key: &Key, nanos: u64, env: &mut dyn Env) -> Result<Level, Level> {
        let (rate, cost) = (self.rate, self.rule.cost);
        let mut refused = None;
        let kept = self.memory.change(key, env, &mut |full_at| match rate.take(full_at, cost, nanos) {
            Ok(full_at) => Some(full_at),
            Err(level) => {
                refused = Some(level);
                None
            }
        });
        match (refused, kept) {
            (Some(level), _) => Err(level),
            (None, Some(full_at)) => Ok(rate.level(full_at, nanos)),
            // So many workers want the same bucket at once that it cannot be told how full it is.
            (None, None) => Err(Level { remaining: 0, full_in_seconds: rate.window_seconds(), wait_seconds: 1 }),
        }
    }

    fn give_back(&mut self, key: &Key, env: &mut dyn Env) {
        let (rate, cost) = (self.rate, self.rule.cost);
        self.memory.change(key, env, &mut |full_at| Some(rate.give_back(full_at, cost)));
    }

    fn said(&self, level: Level) -> Said<'_> {
        Said {
            name: &self.rule.name,
            // Clients must not heed a limit that is not one yet.
            headers: if self.rule.dry_run { RateLimitHeaders::None } else { self.rule.headers },
            burst: self.rule.burst,
            window_seconds: self.rate.window_seconds(),
            level,
        }
    }

    /// Without a level the request had no key.
    fn reply(&self, level: Option<Level>) -> LocalReply {
        let mut headers: Vec<(Cow<'static, str>, String)> = Vec::new();
        if let Some(level) = level {
            headers.push(("retry-after".into(), level.wait_seconds.max(1).to_string()));
            let said = headers::of(&[self.said(level)]);
            headers.extend(said.into_iter().map(|(name, value)| (name.into(), value)));
        }
        LocalReply {
            status: self.rule.status.0,
            grpc_status: Some(RESOURCE_EXHAUSTED),
            headers,
            body: self.rule.body.clone().into(),
            details: "meshwright_rate_limited",
        }
    }
}
