//! Fault injection: delays and aborts, by chance.

use serde::de::{Error, Unexpected};
use serde::{Deserialize, Deserializer, Serialize};

use crate::scope::{Among, Authority, is_exempt};
use crate::{Counter, Env, HttpPolicy, LocalReply, Request, Verdict};

/// The filter's root id in the wasm module.
pub const FAULT_ROOT_ID: &str = "fault";

/// One fault plugin. The first rule whose hosts match decides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultConfig {
    /// The rules, in order.
    pub rules: Vec<FaultRule>,
}

/// The faults of some hosts. Whether to delay and whether to abort are decided independently;
/// a request that suffers both is delayed first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultRule {
    /// Lower-case authorities as in a virtual host's domains; `*`, or none, is any.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// Exact paths, without query, that GET and HEAD reach without faults: health checks.
    #[serde(default)]
    pub exempt_paths: Vec<String>,
    /// How often and how long requests are held back.
    #[serde(default)]
    pub delay: Option<FaultDelay>,
    /// How often and how requests are answered instead of let through.
    #[serde(default)]
    pub abort: Option<FaultAbort>,
}

/// A fixed delay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultDelay {
    /// How long; 0 is no delay.
    pub millis: u32,
    /// How many requests of a million; more is all of them.
    pub per_million: u32,
}

/// An answer in place of the upstream's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultAbort {
    /// The HTTP status, from 200 to 599.
    #[serde(deserialize_with = "status")]
    pub status: u16,
    /// How many requests of a million; more is all of them.
    pub per_million: u32,
}

/// A prepared [`FaultConfig`].
#[derive(Debug)]
pub struct Fault {
    rules: Vec<FaultRule>,
}

const MILLION: u64 = 1_000_000;

impl HttpPolicy for Fault {
    type Config = FaultConfig;
    const ROOT_ID: &'static str = FAULT_ROOT_ID;
    const COUNTERS: &'static [Counter] = &[Counter::FaultAborts, Counter::FaultDelays];

    fn new(config: FaultConfig) -> Fault {
        Fault { rules: config.rules }
    }

    fn on_request(&self, request: &mut dyn Request, env: &mut Env<'_>) -> Verdict {
        let mut authority = Authority::of(request);
        let rule = self.rules.iter().find(|rule| authority.is_among(&rule.hosts) == Among::Yes);
        let Some(rule) = rule else {
            return Verdict::Continue(Vec::new());
        };
        if is_exempt(&rule.exempt_paths, request) {
            return Verdict::Continue(Vec::new());
        }
        let delay = rule.delay.filter(|delay| delay.millis > 0 && happens(delay.per_million, env));
        let abort = rule.abort.filter(|abort| happens(abort.per_million, env));
        if delay.is_some() {
            (env.count)(Counter::FaultDelays);
        }
        if abort.is_some() {
            (env.count)(Counter::FaultAborts);
        }
        match (delay, abort.map(reply)) {
            (Some(delay), then) => Verdict::Delay { millis: delay.millis, then },
            (None, Some(reply)) => Verdict::Respond(reply),
            (None, None) => Verdict::Continue(Vec::new()),
        }
    }
}

/// Draws a number only where chance decides. The remainder favours no outcome by more than one
/// part in ten million millions.
fn happens(per_million: u32, env: &mut Env<'_>) -> bool {
    match u64::from(per_million) {
        0 => false,
        MILLION.. => true,
        share => (env.random)() % MILLION < share,
    }
}

fn reply(abort: FaultAbort) -> LocalReply {
    LocalReply {
        status: abort.status,
        headers: Vec::new(),
        body: "fault filter abort",
        details: "meshwright_fault_abort",
    }
}

fn status<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u16, D::Error> {
    let status = u16::deserialize(deserializer)?;
    if !(200..=599).contains(&status) {
        let unexpected = Unexpected::Unsigned(u64::from(status));
        return Err(D::Error::invalid_value(unexpected, &"a status from 200 to 599"));
    }
    Ok(status)
}
