//! How often Envoy may die before the task is better replaced.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// So many restarts within a while.
#[derive(Clone, Debug)]
pub struct Budget {
    restarts: usize,
    within: Duration,
    spent: VecDeque<Instant>,
}

impl Budget {
    pub fn new(restarts: usize, within: Duration) -> Self {
        Self { restarts, within, spent: VecDeque::new() }
    }

    /// How long to wait before the next start; `None` if there is no next one. The first is at once.
    pub(super) fn spend(&mut self) -> Option<Duration> {
        while self.spent.front().is_some_and(|restart| restart.elapsed() > self.within) {
            self.spent.pop_front();
        }
        if self.spent.len() >= self.restarts {
            return None;
        }
        let doublings = u32::try_from(self.spent.len()).unwrap_or(u32::MAX).saturating_sub(1).min(16);
        let pause = FIRST_PAUSE.saturating_mul(1 << doublings).min(LONGEST_PAUSE);
        let first = self.spent.is_empty();
        self.spent.push_back(Instant::now());
        Some(if first { Duration::ZERO } else { pause })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn restarts_become_slower_and_end_and_are_forgotten() {
        let mut budget = Budget::new(3, Duration::from_secs(60));
        let pauses: Vec<_> = (0..4).map(|_| budget.spend().map(|pause| pause.as_millis())).collect();
        assert_eq!(pauses, [Some(0), Some(100), Some(200), None]);
        tokio::time::advance(Duration::from_secs(61)).await;
        assert_eq!(budget.spend(), Some(Duration::ZERO));
    }
}
