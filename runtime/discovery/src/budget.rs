//! How many calls may be made: so many a second, a few at once, and half of it for a while after AWS said "too many".

use std::time::Duration;

use tokio::time::Instant;

/// A quarter of what one account and region has for its lists and descriptions of tasks (20 a second, 100 at once).
pub const CALLS_PER_SECOND: f64 = 5.0;

/// Calls that may follow each other at once.
const BURST: f64 = 5.0;
/// How long the budget is halved.
const SLOW: Duration = Duration::from_secs(60);

/// A bucket that fills itself.
#[derive(Clone, Debug)]
pub struct Budget {
    rate: f64,
    /// Negative: so many calls are waiting.
    tokens: f64,
    filled: Option<Instant>,
    slow_until: Option<Instant>,
}

impl Budget {
    /// At least one call in ten seconds.
    pub fn new(calls_per_second: f64) -> Self {
        let rate = if calls_per_second.is_finite() { calls_per_second.max(0.1) } else { CALLS_PER_SECOND };
        Self { rate, tokens: BURST.min(rate.max(1.0)), filled: None, slow_until: None }
    }

    /// Takes one call; it may be made after this time.
    pub fn take(&mut self, now: Instant) -> Duration {
        let rate = self.rate(now);
        let since = self.filled.map_or(Duration::ZERO, |filled| now.saturating_duration_since(filled));
        self.tokens = (self.tokens + since.as_secs_f64() * rate).min(BURST.min(self.rate.max(1.0))) - 1.0;
        self.filled = Some(now);
        Duration::from_secs_f64((-self.tokens).max(0.0) / rate)
    }

    /// AWS said that calls are too many.
    pub fn throttled(&mut self, now: Instant) {
        self.slow_until = Some(now + SLOW);
        self.tokens = self.tokens.min(0.0);
    }

    /// Calls a second, at this moment.
    pub fn rate(&self, now: Instant) -> f64 {
        let slow = self.slow_until.is_some_and(|until| now < until);
        if slow { self.rate / 2.0 } else { self.rate }
    }

    /// How long so many calls take at least.
    pub fn time_of(&self, calls: u64, now: Instant) -> Duration {
        // No read has so many calls that a float would not hold them.
        let calls = f64::from(u32::try_from(calls).unwrap_or(u32::MAX));
        Duration::from_secs_f64(calls / self.rate(now))
    }
}

/// A fifth less or more, so that replicas do not stay in step.
pub fn jittered(interval: Duration, random: &mut fastrand::Rng) -> Duration {
    interval.mul_f64(0.8 + 0.4 * random.f64())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::Instant;

    use super::{Budget, jittered};

    /// How many calls are made in so many seconds by somebody who calls as often as they may.
    fn calls(budget: &mut Budget, start: Instant, seconds: u64) -> u64 {
        let (mut now, mut calls) = (start, 0);
        while now < start + Duration::from_secs(seconds) {
            now += budget.take(now);
            calls += 1;
        }
        calls
    }

    #[test]
    fn no_more_calls_are_made_than_the_budget_has() {
        let mut budget = Budget::new(5.0);
        assert!((500..=506).contains(&calls(&mut budget, Instant::now(), 100)));
    }

    #[test]
    fn the_budget_is_halved_for_a_minute_after_throttling() {
        let (mut budget, start) = (Budget::new(4.0), Instant::now());
        budget.throttled(start);
        let halved = calls(&mut budget, start, 60);
        assert!((119..=122).contains(&halved), "{halved}");
        let whole = calls(&mut budget, start + Duration::from_secs(61), 60);
        assert!((240..=246).contains(&whole), "{whole}");
    }

    #[test]
    fn a_budget_of_nothing_still_makes_calls() {
        for rate in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(calls(&mut Budget::new(rate), Instant::now(), 100) >= 10);
        }
    }

    #[test]
    fn intervals_differ_by_a_fifth() {
        let mut random = fastrand::Rng::with_seed(7);
        let all: Vec<Duration> = (0..1_000).map(|_| jittered(Duration::from_secs(15), &mut random)).collect();
        assert!(all.iter().all(|one| (12..=18).contains(&one.as_secs())));
        assert!(all.iter().max() > all.iter().min().map(|least| least.mul_f64(1.4)).as_ref());
    }
}
