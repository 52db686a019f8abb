//! Fault injection: requests are held back or answered instead of let through, by chance, by a hash or on demand.

mod abort;
mod callers;
mod control;
mod select;

use alloc::vec::Vec;

pub use self::abort::{FaultAbort, FaultHeader, HeaderName, HeaderValue, Status, http_status_of_grpc};
use self::callers::Callers;
pub use self::callers::FaultCallers;
use self::control::{Asked, strip};
pub use self::control::{FAULT_CONTROL_HEADERS, FaultControl};
use self::select::Fates;
pub use self::select::FaultSelect;
use crate::condition::{View, all_hold};
use crate::decode::config;
use crate::{Condition, Counter, Edits, Env, HttpPolicy, Request, Verdict};

/// The filter's root id in the wasm module.
pub const FAULT_ROOT_ID: &str = "fault";

const NANOS: u64 = 1_000_000_000;

config! {
    /// The faults of one service or gateway.
    ///
    /// Whether to delay and whether to abort are decided independently; a request that suffers both is delayed first.
    pub struct FaultConfig {
        /// How often and how long requests are held back.
        pub delay: Option<FaultDelay>,
        /// How often and how requests are answered instead of let through.
        pub abort: Option<FaultAbort>,
        /// Only requests of which all of this certainly holds.
        pub when: Vec<Condition>,
        /// Only requests of these callers.
        pub from: Option<FaultCallers>,
        /// What decides in place of chance.
        pub select: Option<FaultSelect>,
        /// Nothing happens before: seconds since 1970.
        pub starts: Option<u64>,
        /// Nothing happens from then on: seconds since 1970.
        pub ends: Option<u64>,
        /// Nothing happens while so many requests are held back.
        pub max_active: Option<u32>,
        /// What requests may ask for; without it, nothing.
        pub control: Option<FaultControl>,
    }
}

config! {
    /// How often and how long requests are held back.
    pub struct FaultDelay {
        /// How long, at least; 0 is no delay.
        pub millis: u32,
        /// How long, at most: anything between the two is as likely. Less than `millis` is `millis`.
        pub up_to: u32 = 0,
        /// How many requests of a million; more is all of them.
        pub per_million: u32,
    }
}

/// A prepared [`FaultConfig`].
#[derive(Debug)]
pub struct Fault {
    config: FaultConfig,
    from: Option<Callers>,
    control_from: Option<Callers>,
}

/// What a request suffers if everything else allows it.
#[derive(Default)]
struct Suffered<'c> {
    delay: Option<&'c FaultDelay>,
    abort: Option<&'c FaultAbort>,
}

impl HttpPolicy for Fault {
    type Config = FaultConfig;
    const ROOT_ID: &'static str = FAULT_ROOT_ID;
    const COUNTERS: &'static [Counter] = &[Counter::FaultAborts, Counter::FaultDelays, Counter::FaultOverflows];

    fn new(mut config: FaultConfig) -> Fault {
        let from = config.from.take().map(Callers::new);
        let control_from = config.control.as_mut().and_then(|control| control.from.take()).map(Callers::new);
        Fault { config, from, control_from }
    }

    fn on_request(&mut self, request: &mut dyn Request, env: &mut dyn Env) -> Verdict {
        let view = &mut View::of(request);
        // What asks for faults goes no further, whether it was heard or not.
        let edits = if self.config.control.is_some() { strip(view.headers()) } else { Edits::default() };
        let asked = self.asked(view);
        let delay = asked.delay.as_ref().or(self.config.delay.as_ref());
        let abort = asked.abort.as_ref().or(self.config.abort.as_ref());
        let suffered = self.suffered(delay, abort, view, env);
        if suffered.delay.is_some() {
            env.count(Counter::FaultDelays);
        }
        if suffered.abort.is_some() {
            env.count(Counter::FaultAborts);
        }
        let reply = suffered.abort.map(FaultAbort::reply);
        match (suffered.delay, reply) {
            (Some(delay), then) => Verdict::Delay { millis: self.length(delay, view, env), edits, then },
            (None, Some(reply)) => Verdict::Respond(reply),
            (None, None) => Verdict::Continue(edits),
        }
    }
}

impl Fault {
    /// What the request asks for, as far as it may.
    fn asked(&self, view: &mut View<'_>) -> Asked {
        let Some(control) = &self.config.control else { return Asked::default() };
        let asked = control.read(view.headers(), self.config.abort.as_ref());
        if asked.is_nothing() || !self.control_from.as_ref().is_none_or(|callers| callers.include(view.request())) {
            return Asked::default();
        }
        asked
    }

    /// The cheapest questions come first: most requests suffer nothing.
    fn suffered<'c>(
        &self,
        delay: Option<&'c FaultDelay>,
        abort: Option<&'c FaultAbort>,
        view: &mut View<'_>,
        env: &mut dyn Env,
    ) -> Suffered<'c> {
        let delay = delay.filter(|delay| delay.longest() > 0 && delay.per_million > 0);
        let abort = abort.filter(|abort| abort.per_million > 0);
        if (delay.is_none() && abort.is_none()) || !self.is_time(env) {
            return Suffered::default();
        }
        let mut fates = Fates { select: self.config.select.as_ref(), view, env };
        let delay = delay.filter(|delay| fates.happens(delay.per_million, "delay"));
        let abort = abort.filter(|abort| fates.happens(abort.per_million, "abort"));
        if (delay.is_none() && abort.is_none()) || !self.is_meant(view) {
            return Suffered::default();
        }
        if self.config.max_active.is_some_and(|most| env.held() >= u64::from(most)) {
            env.count(Counter::FaultOverflows);
            return Suffered::default();
        }
        Suffered { delay, abort }
    }

    /// Reads no clock unless a time is configured.
    fn is_time(&self, env: &mut dyn Env) -> bool {
        if self.config.starts.is_none() && self.config.ends.is_none() {
            return true;
        }
        let now = env.unix_nanos().checked_div(NANOS).unwrap_or_default();
        self.config.starts.is_none_or(|starts| starts <= now) && self.config.ends.is_none_or(|ends| now < ends)
    }

    fn is_meant(&self, view: &mut View<'_>) -> bool {
        all_hold(&self.config.when, view).certainly()
            && self.from.as_ref().is_none_or(|callers| callers.include(view.request()))
    }

    fn length(&self, delay: &FaultDelay, view: &mut View<'_>, env: &mut dyn Env) -> u32 {
        let Some(more) = delay.up_to.checked_sub(delay.millis).filter(|more| *more > 0) else { return delay.millis };
        let mut fates = Fates { select: self.config.select.as_ref(), view, env };
        let drawn = fates.draw("jitter").checked_rem(u64::from(more).saturating_add(1)).unwrap_or_default();
        // A delay of 0 would be none.
        delay.millis.saturating_add(u32::try_from(drawn).unwrap_or(more)).max(1)
    }
}

impl FaultDelay {
    fn longest(&self) -> u32 {
        self.millis.max(self.up_to)
    }
}
