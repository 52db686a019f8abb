//! The requests that are held back, by the time at which each is let go.

use alloc::collections::BinaryHeap;
use alloc::vec::Vec;
use core::cmp::Reverse;

const NANOS_PER_MILLI: u64 = 1_000_000;

/// Envoy is asked to wake the filter at least this often while requests are held, so that no
/// period grows beyond what Envoy's timers take.
const LONGEST_TICK_MILLIS: u64 = 60_000;

/// So many forgotten requests may wait for their time among the held ones.
const TOLERATED: usize = 64;

/// Held requests. Each is here from its delay until it is due or gone, whichever comes first.
#[derive(Debug, Default)]
pub(crate) struct Delays {
    held: BinaryHeap<Reverse<Hold>>,
    gone: Vec<Hold>,
}

/// When one stream's request is due: its place among the held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Hold {
    due_nanos: u64,
    pub(crate) context: u32,
}

impl Delays {
    /// Holds a stream's request.
    pub(crate) fn hold(&mut self, context: u32, now_nanos: u64, millis: u32) -> Hold {
        let due_nanos = now_nanos.saturating_add(u64::from(millis).saturating_mul(NANOS_PER_MILLI));
        let hold = Hold { due_nanos, context };
        self.held.push(Reverse(hold));
        hold
    }

    /// Forgets a request that is held and whose stream is gone.
    pub(crate) fn forget(&mut self, hold: Hold) {
        self.gone.push(hold);
        if self.gone.len() > TOLERATED && self.gone.len() > self.held.len() / 2 {
            self.gone.sort_unstable();
            let gone = &self.gone;
            self.held.retain(|Reverse(hold)| gone.binary_search(hold).is_err());
            self.gone = Vec::new();
        }
    }

    /// Takes the requests whose time has come, earliest first.
    pub(crate) fn take_due(&mut self, now_nanos: u64) -> Vec<Hold> {
        let mut due = Vec::new();
        while let Some(Reverse(hold)) = self.held.peek().copied() {
            if hold.due_nanos > now_nanos {
                break;
            }
            self.held.pop();
            match self.gone.iter().position(|gone| *gone == hold) {
                Some(position) => drop(self.gone.swap_remove(position)),
                None => due.push(hold),
            }
        }
        due
    }

    /// The tick period that wakes the filter when the next request is due; 0 is none.
    pub(crate) fn tick_millis(&self, now_nanos: u64) -> u32 {
        let Some(Reverse(next)) = self.held.peek() else { return 0 };
        if self.held.len() == self.gone.len() {
            return 0;
        }
        let millis = next.due_nanos.saturating_sub(now_nanos).div_ceil(NANOS_PER_MILLI);
        u32::try_from(millis.clamp(1, LONGEST_TICK_MILLIS)).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::{Delays, NANOS_PER_MILLI};

    fn due(delays: &mut Delays, millis: u64) -> Vec<u32> {
        let due = delays.take_due(millis * NANOS_PER_MILLI);
        due.into_iter().map(|due| due.context).collect()
    }

    #[test]
    fn requests_are_let_go_in_the_order_of_their_deadlines() {
        let mut delays = Delays::default();
        delays.hold(2, 0, 30);
        delays.hold(3, 0, 10);
        delays.hold(4, 0, 20);
        assert_eq!(due(&mut delays, 9), [] as [u32; 0]);
        assert_eq!(due(&mut delays, 20), [3, 4]);
        assert_eq!(due(&mut delays, 1000), [2]);
    }

    #[test]
    fn a_request_that_is_gone_is_never_due() {
        let mut delays = Delays::default();
        let gone = delays.hold(2, 0, 10);
        delays.hold(3, 0, 10);
        delays.forget(gone);
        assert_eq!(due(&mut delays, 10), [3]);
        assert!(delays.gone.is_empty());
    }

    #[test]
    fn the_tick_is_for_the_next_deadline_and_off_when_idle() {
        let mut delays = Delays::default();
        assert_eq!(delays.tick_millis(0), 0);
        let hold = delays.hold(2, 0, 30);
        assert_eq!(delays.tick_millis(0), 30);
        assert_eq!(delays.tick_millis(29 * NANOS_PER_MILLI + 1), 1);
        assert_eq!(delays.tick_millis(99 * NANOS_PER_MILLI), 1);
        delays.forget(hold);
        assert_eq!(delays.tick_millis(0), 0);
    }

    #[test]
    fn clients_that_go_away_leave_nothing_behind() {
        let mut delays = Delays::default();
        let stays = delays.hold(1, 0, 3_600_000);
        for context in 2..100_000 {
            let hold = delays.hold(context, 0, 3_600_000);
            delays.forget(hold);
        }
        assert!(delays.held.len() + delays.gone.len() < 1000, "{}", delays.held.len());
        assert_eq!(delays.take_due(u64::MAX), [stays]);
    }

    #[test]
    fn the_longest_delay_does_not_overflow() {
        let mut delays = Delays::default();
        delays.hold(2, u64::MAX - 1, u32::MAX);
        assert_eq!(delays.tick_millis(0), 60_000);
    }
}
