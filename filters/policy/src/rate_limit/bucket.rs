//! A bucket of tokens, exact for ever: no fraction of a token is rounded away.
//!
//! Kept is not how many tokens there are, but when the bucket will be full again (GCRA, ATM Forum TM 4.1). Time is counted
//! so finely that a token takes a whole number of ticks: nanoseconds × requests in a period, a token a period of them.

/// How fast a bucket fills, and how much it holds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rate {
    requests: u128,
    /// What one token takes, in ticks.
    token: u128,
    /// A whole bucket, in ticks.
    whole: u128,
}

/// What a bucket is like after a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Level {
    /// Whole tokens that are left.
    pub remaining: u64,
    /// Until it is full.
    pub full_in_seconds: u64,
    /// Until the request would be accepted; 0 where it was.
    pub wait_seconds: u64,
}

/// A bucket that is full, and has been for ever.
pub(super) const FULL: u128 = 0;

impl Rate {
    /// Nothing is 0: a period of no time or a bucket without tokens would have no meaning.
    pub(super) fn new(requests: u32, per_millis: u64, burst: u32) -> Rate {
        let token = u128::from(per_millis.max(1)).saturating_mul(1_000_000);
        let whole = token.saturating_mul(u128::from(burst.max(1)));
        Rate { requests: u128::from(requests.max(1)), token, whole }
    }

    /// Takes tokens of a bucket that will be full at the given tick. What it is then, unless they are too few.
    pub(super) fn take(self, full_at: u128, tokens: u32, nanos: u64) -> Result<u128, Level> {
        let now = self.ticks(nanos);
        let missing = self.missing(full_at, now);
        let after = missing.saturating_add(self.cost(tokens));
        if after > self.whole {
            let wait = after.saturating_sub(self.whole);
            return Err(Level { wait_seconds: self.seconds(wait), ..self.level_of(missing) });
        }
        Ok(now.saturating_add(after))
    }

    /// Puts tokens back that were taken.
    pub(super) fn give_back(self, full_at: u128, tokens: u32) -> u128 {
        full_at.saturating_sub(self.cost(tokens))
    }

    /// What a bucket is like.
    pub(super) fn level(self, full_at: u128, nanos: u64) -> Level {
        self.level_of(self.missing(full_at, self.ticks(nanos)))
    }

    /// The seconds in which an empty bucket fills.
    pub(super) fn window_seconds(self) -> u64 {
        self.seconds(self.whole)
    }

    fn level_of(self, missing: u128) -> Level {
        let there = self.whole.saturating_sub(missing).checked_div(self.token).unwrap_or_default();
        Level { remaining: narrow(there), full_in_seconds: self.seconds(missing), wait_seconds: 0 }
    }

    /// Of a bucket that a clock has left behind, which went back, nothing but the whole is missing.
    fn missing(self, full_at: u128, now: u128) -> u128 {
        full_at.saturating_sub(now).min(self.whole)
    }

    fn cost(self, tokens: u32) -> u128 {
        self.token.saturating_mul(u128::from(tokens))
    }

    fn ticks(self, nanos: u64) -> u128 {
        u128::from(nanos).saturating_mul(self.requests)
    }

    /// Never too few.
    fn seconds(self, ticks: u128) -> u64 {
        narrow(ticks.div_ceil(self.requests.saturating_mul(1_000_000_000).max(1)))
    }
}

fn narrow(number: u128) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::{FULL, Level, Rate};

    const SECOND: u64 = 1_000_000_000;

    /// How many single tokens a bucket gives at these times.
    fn given(rate: Rate, times: impl IntoIterator<Item = u64>) -> u64 {
        let mut full_at = FULL;
        let mut given = 0;
        for nanos in times {
            if let Ok(after) = rate.take(full_at, 1, nanos) {
                full_at = after;
                given += 1;
            }
        }
        given
    }

    #[test]
    fn a_full_bucket_gives_its_burst_at_once() {
        for start in [0, 1, SECOND, u64::MAX / 2, 1 << 63, u64::MAX] {
            assert_eq!(given(Rate::new(3, 1000, 5), [start; 20]), 5, "{start}");
        }
    }

    #[test]
    fn three_a_second_are_three_a_second_for_ever() {
        // Asked every millisecond for an hour: a third of a second is no whole number of nanoseconds.
        let asked = (0..3_600_000).map(|millis| millis * 1_000_000);
        assert_eq!(given(Rate::new(3, 1000, 2), asked), 3 * 3600 + 1);
    }

    #[test]
    fn a_token_comes_back_not_a_nanosecond_too_early() {
        let rate = Rate::new(3, 1000, 1);
        let first = rate.take(FULL, 1, 0).expect("full");
        assert!(rate.take(first, 1, SECOND / 3).is_err());
        assert!(rate.take(first, 1, SECOND / 3 + 1).is_ok());
    }

    #[test]
    fn silence_fills_no_more_than_the_bucket() {
        let rate = Rate::new(u32::MAX, 1, 2);
        let times = [0, 0, 0].into_iter().chain([u64::MAX; 9]);
        assert_eq!(given(rate, times), 4);
    }

    #[test]
    fn a_clock_that_goes_back_locks_nobody_out() {
        let rate = Rate::new(1, 1000, 2);
        let late = rate.take(FULL, 1, u64::MAX).expect("full");
        let Err(level) = rate.take(late, 1, 0) else { panic!("the bucket is empty") };
        assert_eq!(level, Level { remaining: 0, full_in_seconds: 2, wait_seconds: 1 });
    }

    #[test]
    fn levels_are_whole_tokens_and_seconds() {
        let rate = Rate::new(10, 60_000, 10);
        let after = rate.take(FULL, 4, SECOND).expect("full");
        assert_eq!(rate.level(after, SECOND), Level { remaining: 6, full_in_seconds: 24, wait_seconds: 0 });
        assert_eq!(rate.level(after, SECOND + 1), Level { remaining: 6, full_in_seconds: 24, wait_seconds: 0 });
        assert_eq!(rate.level(after, 8 * SECOND), Level { remaining: 7, full_in_seconds: 17, wait_seconds: 0 });
        assert_eq!(rate.window_seconds(), 60);
        assert_eq!(rate.level(rate.give_back(after, 4), SECOND).remaining, 10);
    }
}
