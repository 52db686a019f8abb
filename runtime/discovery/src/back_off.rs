//! How long to wait after a failure: 0.8 s, doubling, never more than 30 s, each up to twice as long by chance.

use std::time::Duration;

use tokio::time::Instant;

const FIRST: f64 = 0.8;
/// The longest wait, chance included.
pub const CAP: Duration = Duration::from_secs(30);
/// When whole reads began this long ago, the next failure is the first again.
const HEALTHY: Duration = Duration::from_secs(120);

/// How many failures there were in a row.
#[derive(Clone, Debug, Default)]
pub struct BackOff {
    failures: i32,
    /// The first success since the last failure.
    healthy: Option<Instant>,
}

impl BackOff {
    /// A failure: the time to wait.
    pub fn failed(&mut self, now: Instant, random: &mut fastrand::Rng) -> Duration {
        // Waiting, or a long read that fails in the end, is not health.
        if self.healthy.take().is_some_and(|since| now.saturating_duration_since(since) >= HEALTHY) {
            self.failures = 0;
        }
        let wait = FIRST * 2_f64.powi(self.failures.min(16));
        self.failures = self.failures.saturating_add(1);
        // With the whole of the cap as the least, everybody would wait for the same time.
        let wait = wait.min(CAP.as_secs_f64() / 2.0) * (1.0 + random.f64());
        Duration::from_secs_f64(wait)
    }

    pub fn succeeded(&mut self, now: Instant) {
        self.healthy.get_or_insert(now);
    }
}

/// The wait before a call is made again, after so many attempts of it.
pub fn between_attempts(attempts: u32, random: &mut fastrand::Rng) -> Duration {
    let mut alone = BackOff { failures: i32::try_from(attempts.saturating_sub(1)).unwrap_or(16), healthy: None };
    alone.failed(Instant::now(), random)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::Instant;

    use super::{BackOff, CAP};

    #[test]
    fn waits_double_up_to_the_cap_with_chance() {
        let (mut back_off, mut random, now) = (BackOff::default(), fastrand::Rng::with_seed(1), Instant::now());
        let mut least = 0.8;
        for _ in 0..50 {
            let wait = back_off.failed(now, &mut random).as_secs_f64();
            assert!((least..=least * 2.0).contains(&wait), "{wait} after {least}");
            assert!(wait <= CAP.as_secs_f64());
            least = f64::min(least * 2.0, 15.0);
        }
    }

    #[test]
    fn two_minutes_of_health_begin_anew() {
        let (mut back_off, mut random, now) = (BackOff::default(), fastrand::Rng::with_seed(1), Instant::now());
        for _ in 0..9 {
            back_off.failed(now, &mut random);
        }
        let later = |seconds: u64| now + Duration::from_secs(seconds);
        let still = back_off.failed(later(500), &mut random);
        assert!(still >= Duration::from_secs(15), "no read succeeded");
        back_off.succeeded(later(600));
        let still = back_off.failed(later(719), &mut random);
        assert!(still >= Duration::from_secs(15));
        back_off.succeeded(later(800));
        back_off.succeeded(later(910));
        let anew = back_off.failed(later(921), &mut random);
        assert!(anew < Duration::from_secs(2), "{anew:?}");
    }
}
