//! A filter that does nothing: what a filter costs before it decides anything.

use crate::decode::config;
use crate::{Counter, Env, HttpPolicy, Request, Verdict};

/// The filter's root id in the wasm module.
pub const NO_OP_ROOT_ID: &str = "no-op";

/// Lets every request through.
#[derive(Debug)]
pub struct NoOp;

config! {
    /// Nothing can be configured.
    pub struct NoOpConfig {}
}

impl HttpPolicy for NoOp {
    type Config = NoOpConfig;
    const ROOT_ID: &'static str = NO_OP_ROOT_ID;
    const COUNTERS: &'static [Counter] = &[];

    fn new(_: NoOpConfig) -> NoOp {
        NoOp
    }

    fn on_request(&mut self, _: &mut dyn Request, _: &mut dyn Env) -> Verdict {
        Verdict::PASS
    }
}
