//! How long to wait before trying again: longer each time, up to a limit, and never as long as the others.

use std::time::Duration;

const SHORTEST: Duration = Duration::from_millis(200);
/// So that a control plane that returns is found within five seconds.
const LONGEST: Duration = Duration::from_secs(3);

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct BackOff {
    tries: u32,
}

impl BackOff {
    pub(super) fn next(&mut self) -> Duration {
        let limit = self.limit();
        self.tries = self.tries.saturating_add(1);
        let milliseconds = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
        Duration::from_millis(fastrand::u64(..=milliseconds)).max(SHORTEST / 2)
    }

    fn limit(self) -> Duration {
        SHORTEST.saturating_mul(1 << self.tries.min(10)).min(LONGEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_limit_and_are_spread_below_it() {
        let mut back_off = BackOff::default();
        let mut limits = Vec::new();
        for _ in 0..8 {
            let limit = back_off.limit();
            let pause = back_off.next();
            assert!(pause <= limit && pause >= SHORTEST / 2, "{pause:?} of {limit:?}");
            limits.push(limit.as_millis());
        }
        assert_eq!(limits, [200, 400, 800, 1600, 3000, 3000, 3000, 3000]);
    }
}
