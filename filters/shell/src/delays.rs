//! The requests that are held back, by the time at which each is let go.

use std::collections::BTreeMap;

use policy::LocalReply;

const NANOS_PER_MILLI: u64 = 1_000_000;

/// Envoy is asked to wake the filter at least this often while requests are held, so that no
/// period grows beyond what Envoy's timers take.
const LONGEST_TICK_MILLIS: u64 = 60_000;

/// Held requests. Each is here from its delay until it is due or gone, whichever comes first.
#[derive(Debug, Default)]
pub(crate) struct Delays {
    held: BTreeMap<Hold, Option<LocalReply>>,
}

/// When one stream's request is due: its place among the held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Hold {
    due_nanos: u64,
    context: u32,
}

/// A request whose time has come.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Due {
    pub(crate) context: u32,
    pub(crate) then: Option<LocalReply>,
}

impl Delays {
    /// Holds a stream's request.
    pub(crate) fn hold(&mut self, context: u32, now_nanos: u64, millis: u32, then: Option<LocalReply>) -> Hold {
        let due_nanos = now_nanos.saturating_add(u64::from(millis).saturating_mul(NANOS_PER_MILLI));
        let hold = Hold { due_nanos, context };
        self.held.insert(hold, then);
        hold
    }

    /// Forgets a request whose stream is gone; one that was due already is unknown.
    pub(crate) fn forget(&mut self, hold: Hold) {
        self.held.remove(&hold);
    }

    /// Takes the requests whose time has come, earliest first.
    pub(crate) fn take_due(&mut self, now_nanos: u64) -> Vec<Due> {
        let mut due = Vec::new();
        while let Some(entry) = self.held.first_entry() {
            if entry.key().due_nanos > now_nanos {
                break;
            }
            let (hold, then) = entry.remove_entry();
            due.push(Due { context: hold.context, then });
        }
        due
    }

    /// The tick period that wakes the filter when the next request is due; 0 is none.
    pub(crate) fn tick_millis(&self, now_nanos: u64) -> u32 {
        let Some((next, _)) = self.held.first_key_value() else {
            return 0;
        };
        let millis = next.due_nanos.saturating_sub(now_nanos).div_ceil(NANOS_PER_MILLI);
        u32::try_from(millis.clamp(1, LONGEST_TICK_MILLIS)).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::{Delays, NANOS_PER_MILLI};

    fn due(delays: &mut Delays, millis: u64) -> Vec<u32> {
        let due = delays.take_due(millis * NANOS_PER_MILLI);
        due.into_iter().map(|due| due.context).collect()
    }

    #[test]
    fn requests_are_let_go_in_the_order_of_their_deadlines() {
        let mut delays = Delays::default();
        delays.hold(2, 0, 30, None);
        delays.hold(3, 0, 10, None);
        delays.hold(4, 0, 20, None);
        assert_eq!(due(&mut delays, 9), [] as [u32; 0]);
        assert_eq!(due(&mut delays, 20), [3, 4]);
        assert_eq!(due(&mut delays, 1000), [2]);
    }

    #[test]
    fn a_request_that_is_gone_is_never_due() {
        let mut delays = Delays::default();
        let gone = delays.hold(2, 0, 10, None);
        delays.hold(3, 0, 10, None);
        delays.forget(gone);
        delays.forget(gone);
        assert_eq!(due(&mut delays, 10), [3]);
    }

    #[test]
    fn the_tick_is_for_the_next_deadline_and_off_when_idle() {
        let mut delays = Delays::default();
        assert_eq!(delays.tick_millis(0), 0);
        delays.hold(2, 0, 30, None);
        assert_eq!(delays.tick_millis(0), 30);
        assert_eq!(delays.tick_millis(29 * NANOS_PER_MILLI + 1), 1);
        assert_eq!(delays.tick_millis(99 * NANOS_PER_MILLI), 1);
        assert_eq!(due(&mut delays, 30), [2]);
        assert_eq!(delays.tick_millis(0), 0);
    }

    #[test]
    fn the_longest_delay_does_not_overflow() {
        let mut delays = Delays::default();
        delays.hold(2, u64::MAX - 1, u32::MAX, None);
        assert_eq!(delays.tick_millis(0), 60_000);
    }
}
