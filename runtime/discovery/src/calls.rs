//! Every call that is made: paced, counted, with an end, and made again where that may help.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use crate::api::{Answer, Fault, Kind};
use crate::back_off::between_attempts;
use crate::budget::Budget;
use crate::metrics::Metrics;

/// How often one call is attempted within a read.
const ATTEMPTS: u32 = 3;
/// Later than the end that the SDK gives an attempt: for whoever has none.
const LONGEST: Duration = Duration::from_secs(12);

/// What a read calls through.
pub(crate) struct Calls<'c> {
    pub(crate) budget: &'c mut Budget,
    pub(crate) random: &'c mut fastrand::Rng,
    pub(crate) metrics: &'c Metrics,
    /// Told of every attempt and of the tasks that were read so far.
    pub(crate) progress: OnProgress,
    pub(crate) so_far: Progress,
    /// AWS failed just now: one attempt tells whether it still does.
    pub(crate) probing: bool,
}

/// Whom to tell how far a read is.
pub type OnProgress = Arc<dyn Fn(Progress) + Send + Sync>;

/// How far a read is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Attempts, those that failed included.
    pub calls: u64,
    /// Of them, those that AWS refused for being too many.
    pub throttled: u64,
    /// Tasks that are described.
    pub tasks: usize,
}

impl Calls<'_> {
    /// Makes a call, up to three times where failing may pass.
    pub(crate) async fn make<T, F>(&mut self, action: &'static str, call: impl Fn() -> F) -> Answer<T>
    where
        F: Future<Output = Answer<T>>,
    {
        let attempts = if self.probing { 1 } else { ATTEMPTS };
        self.up_to(attempts, action, call).await
    }

    /// Makes a call that is made again with the next read anyway.
    pub(crate) async fn once<T, F>(&mut self, action: &'static str, call: impl Fn() -> F) -> Answer<T>
    where
        F: Future<Output = Answer<T>>,
    {
        self.up_to(1, action, call).await
    }

    async fn up_to<T, F>(&mut self, attempts: u32, action: &'static str, call: impl Fn() -> F) -> Answer<T>
    where
        F: Future<Output = Answer<T>>,
    {
        let mut attempt = 1;
        loop {
            match self.attempt(action, call()).await {
                Ok(answer) => {
                    self.probing = false;
                    return Ok(answer);
                }
                Err(fault) if fault.kind.passes() && attempt < attempts => {
                    tracing::debug!(%fault, attempt, "a call is made again");
                    sleep(between_attempts(attempt, self.random)).await;
                    attempt += 1;
                }
                Err(fault) => return Err(fault),
            }
        }
    }

    pub(crate) fn tasks(&mut self, tasks: usize) {
        self.so_far.tasks = tasks;
        (self.progress)(self.so_far);
    }

    async fn attempt<T>(&mut self, action: &'static str, call: impl Future<Output = Answer<T>>) -> Answer<T> {
        sleep(self.budget.take(Instant::now())).await;
        self.so_far.calls += 1;
        let answer = timeout(LONGEST, call).await;
        let answer = answer.unwrap_or_else(|_| Err(Fault::new(Kind::Timeout, action, "no answer in time")));
        let kind = answer.as_ref().err().map(|fault| fault.kind);
        if kind == Some(Kind::Throttled) {
            self.so_far.throttled += 1;
            self.budget.throttled(Instant::now());
        }
        self.metrics.called(action, kind);
        (self.progress)(self.so_far);
        answer
    }
}
