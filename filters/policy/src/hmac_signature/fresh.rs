//! How old a signature may be.

use super::Denial;
use super::signed::Signed;
use crate::Env;

/// When signatures are good.
#[derive(Debug)]
pub(super) struct Window {
    /// In seconds; 0 is for ever.
    pub(super) max_age: u32,
    /// How many seconds clocks may differ.
    pub(super) skew: u32,
}

/// The end of time for those who remember.
const NEVER: i64 = i64::MAX;

impl Window {
    /// The first second, since 1970, in which the signature is good no more.
    pub(super) fn check(&self, signed: &Signed, env: &mut dyn Env) -> Result<i64, Denial> {
        let now = i64::try_from(env.unix_nanos() / 1_000_000_000).unwrap_or(NEVER);
        let skew = i64::from(self.skew);
        if signed.created.is_some_and(|created| created > now.saturating_add(skew)) {
            return Err(Denial::Stale);
        }
        let aged = match (self.max_age, signed.created) {
            (0, _) => NEVER,
            (age, Some(created)) => created.saturating_add(i64::from(age)),
            (_, None) => return Err(Denial::Stale),
        };
        // At its last second a signature is still good.
        let end = aged.min(signed.expires.unwrap_or(NEVER)).saturating_add(skew).saturating_add(1);
        if end <= now { Err(Denial::Stale) } else { Ok(end) }
    }
}
