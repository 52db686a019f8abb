//! Times, sorted.

use std::time::Duration;

#[derive(Debug, Default)]
pub(crate) struct Moments(Vec<Duration>);

impl Moments {
    pub(crate) fn add(&mut self, times: Vec<Duration>) {
        self.0.extend(times);
        self.0.sort_unstable();
    }

    /// The time within which this share of all is done.
    pub(crate) fn share(&self, share: f64) -> Duration {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place in a list")]
        let place = (self.0.len() as f64 * share).ceil() as usize;
        self.0.get(place.saturating_sub(1)).copied().unwrap_or_default()
    }
}

pub(crate) fn row(name: &str, time: Duration) {
    println!("{name:<44} {:>10.3} s", time.as_secs_f64());
}

/// In per cent.
pub(crate) fn share_of(part: f64, all: usize) -> f64 {
    100.0 * part / all as f64
}
