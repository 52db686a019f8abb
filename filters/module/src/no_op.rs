//! A filter that does nothing: what a filter costs before it decides anything.

use policy::{Counter, Env, HttpPolicy, Request, Verdict};
use serde::Deserialize;

pub(crate) struct NoOp;

/// Nothing can be configured.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoOpConfig {}

impl HttpPolicy for NoOp {
    type Config = NoOpConfig;
    const ROOT_ID: &'static str = "no-op";
    const COUNTERS: &'static [Counter] = &[];

    fn new(_: NoOpConfig) -> NoOp {
        NoOp
    }

    fn on_request(&self, _: &mut dyn Request, _: &mut Env<'_>) -> Verdict {
        Verdict::Continue(Vec::new())
    }
}
