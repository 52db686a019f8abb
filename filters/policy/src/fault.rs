//! Fault injection: delays and aborts, by chance.

use alloc::string::String;
use alloc::vec::Vec;

use crate::chance::happens;
use crate::decode::config;
use crate::scope::{Among, Authority, is_exempt};
use crate::{Counter, Decode, Edits, Env, HttpPolicy, Invalid, LocalReply, Request, Verdict};

/// The filter's root id in the wasm module.
pub const FAULT_ROOT_ID: &str = "fault";

config! {
    /// One fault plugin. The first rule whose hosts match decides.
    pub struct FaultConfig {
        /// The rules, in order.
        pub rules: Vec<FaultRule>,
    }
}

config! {
    /// The faults of some hosts. Whether to delay and whether to abort are decided independently;
    /// a request that suffers both is delayed first.
    pub struct FaultRule {
        /// Lower-case authorities as in a virtual host's domains; `*`, or none, is any.
        pub hosts: Vec<String>,
        /// Exact paths, without query, that GET and HEAD reach without faults: health checks.
        pub exempt_paths: Vec<String>,
        /// How often and how long requests are held back.
        pub delay: Option<FaultDelay>,
        /// How often and how requests are answered instead of let through.
        pub abort: Option<FaultAbort>,
    }
}

config! {
    /// A fixed delay.
    pub struct FaultDelay {
        /// How long; 0 is no delay.
        pub millis: u32,
        /// How many requests of a million; more is all of them.
        pub per_million: u32,
    }
}

config! {
    /// An answer in place of the upstream's.
    pub struct FaultAbort {
        /// The HTTP status, from 200 to 599.
        pub status: Status,
        /// How many requests of a million; more is all of them.
        pub per_million: u32,
    }
}

/// A prepared [`FaultConfig`].
#[derive(Debug)]
pub struct Fault {
    rules: Vec<FaultRule>,
}

impl HttpPolicy for Fault {
    type Config = FaultConfig;
    const ROOT_ID: &'static str = FAULT_ROOT_ID;
    const COUNTERS: &'static [Counter] = &[Counter::FaultAborts, Counter::FaultDelays];

    fn new(config: FaultConfig) -> Fault {
        Fault { rules: config.rules }
    }

    fn on_request(&mut self, request: &mut dyn Request, env: &mut dyn Env) -> Verdict {
        let mut authority = Authority::of(request);
        let rule = self.rules.iter().find(|rule| authority.is_among(&rule.hosts) == Among::Yes);
        let Some(rule) = rule else {
            return Verdict::PASS;
        };
        if is_exempt(&rule.exempt_paths, request) {
            return Verdict::PASS;
        }
        let delay = rule.delay.as_ref().filter(|delay| delay.millis > 0 && happens(delay.per_million, || env.random()));
        let abort = rule.abort.as_ref().filter(|abort| happens(abort.per_million, || env.random()));
        if delay.is_some() {
            env.count(Counter::FaultDelays);
        }
        if abort.is_some() {
            env.count(Counter::FaultAborts);
        }
        match (delay, abort.map(reply)) {
            (Some(delay), then) => Verdict::Delay { millis: delay.millis, edits: Edits::default(), then },
            (None, Some(reply)) => Verdict::Respond(reply),
            (None, None) => Verdict::PASS,
        }
    }
}

fn reply(abort: &FaultAbort) -> LocalReply {
    LocalReply {
        status: abort.status.0,
        body: "fault filter abort".into(),
        details: "meshwright_fault_abort",
        ..LocalReply::default()
    }
}

/// A status from 200 to 599.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(transparent)]
pub struct Status(pub u16);

impl Decode for Status {
    fn decode(value: serde_json::Value) -> Result<Status, Invalid> {
        let status = u16::decode(value)?;
        let known = (200..=599).contains(&status).then_some(Status(status));
        known.ok_or_else(|| Invalid::new("a status from 200 to 599 is expected"))
    }
}
