//! When maintenance is under way, and when it ends.

use alloc::vec::Vec;

use crate::calendar::DAY;
use crate::decode::config;
use crate::{Env, Invalid};

config! {
    /// A time that comes once, in seconds since 1970.
    pub struct Window {
        /// When it begins; none has begun.
        pub from: Option<u64>,
        /// When it is over; none does not end.
        pub until: Option<u64>,
    }
}

config! {
    /// A time that comes every week, in UTC.
    pub struct Weekly {
        /// The days on which it begins, 0 for Monday.
        pub days: Vec<Day>,
        /// Minutes after midnight when it begins.
        pub from: Minute,
        /// Minutes after midnight when it is over: of the next day, unless it is later than `from`.
        pub until: Minute,
    }
}

/// A day of the week, 0 for Monday.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(transparent)]
pub struct Day(pub u8);

/// A minute of a day; 1440 is its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(transparent)]
pub struct Minute(pub u16);

impl crate::Decode for Day {
    fn blank() -> Day {
        Day(0)
    }

    fn decode(value: &crate::Value) -> Result<Day, Invalid> {
        let day = u8::decode(value)?;
        (day < 7).then_some(Day(day)).ok_or_else(|| Invalid::new("a day from 0 to 6 is expected"))
    }
}

impl crate::Decode for Minute {
    fn blank() -> Minute {
        Minute(0)
    }

    fn decode(value: &crate::Value) -> Result<Minute, Invalid> {
        let minute = u16::decode(value)?;
        (minute <= 1440).then_some(Minute(minute)).ok_or_else(|| Invalid::new("a minute from 0 to 1440 is expected"))
    }
}

const WEEK: u64 = 7 * DAY;
/// Windows that touch are followed so far for the end of the last.
const FOLLOWED: usize = 64;

/// All windows.
#[derive(Debug)]
pub(super) struct Schedule {
    windows: Vec<Window>,
    weekly: Vec<Weekly>,
}

/// What is going on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Under {
    Nothing,
    /// Maintenance; it ends in so many seconds, if that is known.
    Way {
        seconds_left: Option<u64>,
    },
}

/// Until when a window holds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Until {
    Moment(u64),
    Ever,
}

impl Schedule {
    pub(super) fn new(windows: Vec<Window>, weekly: Vec<Weekly>) -> Schedule {
        Schedule { windows, weekly }
    }

    /// Asks for the time only where it matters.
    pub(super) fn now(&self, env: &mut dyn Env) -> Under {
        if self.windows.is_empty() && self.weekly.is_empty() {
            return Under::Way { seconds_left: None };
        }
        self.at(env.unix_nanos() / 1_000_000_000)
    }

    fn at(&self, now: u64) -> Under {
        let mut end = now;
        for _ in 0..FOLLOWED {
            match self.end(end) {
                Some(Until::Moment(later)) => end = later,
                Some(Until::Ever) => return Under::Way { seconds_left: None },
                None if end == now => return Under::Nothing,
                None => return Under::Way { seconds_left: Some(end.saturating_sub(now)) },
            }
        }
        // One follows upon another, week after week.
        Under::Way { seconds_left: None }
    }

    /// The last end of the windows that are open at a moment; later than it.
    fn end(&self, at: u64) -> Option<Until> {
        let once = self.windows.iter().filter_map(|window| window.end(at));
        let weekly = self.weekly.iter().filter_map(|weekly| weekly.end(at)).map(Until::Moment);
        once.chain(weekly).max()
    }
}

impl Window {
    fn end(&self, at: u64) -> Option<Until> {
        if self.from.is_some_and(|from| at < from) {
            return None;
        }
        match self.until {
            Some(until) => (at < until).then_some(Until::Moment(until)),
            None => Some(Until::Ever),
        }
    }
}

impl Weekly {
    fn end(&self, at: u64) -> Option<u64> {
        let (from, until) = (seconds(self.from), seconds(self.until));
        let length =
            if until > from { until.saturating_sub(from) } else { until.saturating_add(DAY).saturating_sub(from) };
        // The first day of 1970 was a Thursday.
        let of_week = at.saturating_add(3 * DAY) % WEEK;
        let ends = self.days.iter().filter_map(|day| {
            let begin = u64::from(day.0).saturating_mul(DAY).saturating_add(from);
            let passed = of_week.saturating_add(WEEK).saturating_sub(begin) % WEEK;
            length.checked_sub(passed).filter(|left| *left > 0).map(|left| at.saturating_add(left))
        });
        ends.max()
    }
}

fn seconds(minute: Minute) -> u64 {
    u64::from(minute.0).saturating_mul(60)
}
