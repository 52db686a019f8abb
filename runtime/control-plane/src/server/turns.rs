//! New streams take turns: a storm of reconnects is served at a steady rate.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

/// How often turns are added.
const TICK: Duration = Duration::from_millis(20);

/// A bucket of turns. Whoever goes away while waiting takes none.
#[derive(Clone, Debug)]
pub(super) struct Turns {
    bucket: Arc<Semaphore>,
    per_second: u32,
    patience: Duration,
}

/// How a turn was had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    AtOnce,
    AfterWaiting,
    Never,
}

impl Turns {
    pub(super) fn new(per_second: u32, patience: Duration) -> Self {
        Self { bucket: Arc::new(Semaphore::new(per_second as usize)), per_second, patience }
    }

    pub(super) async fn take(&self) -> Turn {
        if let Ok(turn) = self.bucket.try_acquire() {
            turn.forget();
            return Turn::AtOnce;
        }
        match timeout(self.patience, self.bucket.acquire()).await {
            Ok(Ok(turn)) => {
                turn.forget();
                Turn::AfterWaiting
            }
            _ => Turn::Never,
        }
    }

    /// Adds turns for ever.
    pub(super) async fn refill(self) {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut last, mut owed) = (Instant::now(), 0.0);
        loop {
            let now = ticks.tick().await;
            owed += now.saturating_duration_since(last).as_secs_f64() * f64::from(self.per_second);
            last = now;
            let missing = (self.per_second as usize).saturating_sub(self.bucket.available_permits());
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small, and never negative")]
            let whole = owed as usize;
            owed -= whole as f64;
            self.bucket.add_permits(whole.min(missing));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_burst_goes_at_once_and_the_rest_at_the_rate() {
        let turns = Turns::new(100, Duration::from_secs(10));
        tokio::spawn(turns.clone().refill());
        let began = Instant::now();
        for _ in 0..100 {
            assert_eq!(turns.take().await, Turn::AtOnce);
        }
        assert!(began.elapsed() < Duration::from_millis(1));
        for _ in 0..200 {
            assert_ne!(turns.take().await, Turn::Never);
        }
        let took = began.elapsed().as_millis();
        assert!((1_900..2_200).contains(&took), "{took} ms");
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_too_long_is_refused() {
        let turns = Turns::new(1, Duration::from_secs(3));
        assert_eq!(turns.take().await, Turn::AtOnce);
        assert_eq!(turns.take().await, Turn::Never);
    }
}
