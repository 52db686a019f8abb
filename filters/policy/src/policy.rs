//! What every policy is: a configuration that becomes a function from requests to verdicts.

use serde::de::DeserializeOwned;

use crate::{Request, Verdict};

/// A policy core: no host, no clock, no state that outlives a request.
pub trait HttpPolicy: Sized {
    /// What the compiler embeds, as JSON, in the plugin's configuration.
    type Config: DeserializeOwned;

    /// The root id under which the filter is found in the wasm module.
    const ROOT_ID: &'static str;

    /// The counters this policy may raise.
    const COUNTERS: &'static [Counter];

    /// Prepares a configuration. Any value that deserialises is accepted.
    fn new(config: Self::Config) -> Self;

    /// Decides one request.
    fn on_request(&self, request: &mut dyn Request, env: &mut Env<'_>) -> Verdict;
}

/// What a policy needs of the world around it.
pub struct Env<'a> {
    /// A uniformly distributed number. Called once for each decision by chance, and never where
    /// the chance is none or certainty.
    pub random: &'a mut dyn FnMut() -> u64,
    /// Told once for each thing worth counting.
    pub count: &'a mut dyn FnMut(Counter),
}

/// Something operators want to see a rate of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Counter {
    /// A request was answered with 401.
    BasicAuthDenied,
    /// A request was answered with the configured fault.
    FaultAborts,
    /// A request was held back.
    FaultDelays,
    /// A request was sent to a route chosen by its headers.
    HeaderRoutingRouted,
}

impl Counter {
    /// The name of the counter among Envoy's statistics.
    pub fn name(self) -> &'static str {
        match self {
            Counter::BasicAuthDenied => "meshwright_basic_auth_denied",
            Counter::FaultAborts => "meshwright_fault_aborts",
            Counter::FaultDelays => "meshwright_fault_delays",
            Counter::HeaderRoutingRouted => "meshwright_header_routing_routed",
        }
    }
}
