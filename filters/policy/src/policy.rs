//! What every policy is: a configuration that becomes a function from requests to verdicts.

use crate::{Counter, Decode, Env, Request, Verdict};

/// A policy core: no host, no clock, no randomness. What it remembers from one request for the next is bounded.
pub trait HttpPolicy: Sized {
    /// What the compiler embeds, as JSON, in the plugin's configuration.
    type Config: Decode;

    /// The root id under which the filter is found in the wasm module.
    const ROOT_ID: &'static str;

    /// The counters this policy may raise.
    const COUNTERS: &'static [Counter];

    /// Prepares a configuration. Any value that can be decoded is accepted.
    fn new(config: Self::Config) -> Self;

    /// Decides one request.
    fn on_request(&mut self, request: &mut dyn Request, env: &mut dyn Env) -> Verdict;
}
