//! What Envoy speaks with instead of a control plane: passes a stream through to one byte for byte, or answers it from
//! the last good state.
//!
//! ```text
//! Envoy ── socket ──▶ stream ─┬─▶ link ──▶ control plane      while one answers; what Envoy acknowledges is recorded
//!                             └─▶ last good state             else, until one does
//! ```

mod codec;
mod door;
mod fallback;
mod passing;
mod service;
mod stream;

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tonic::transport::Server;

pub use door::{Door, DoorError};

use crate::keep::Record;
use crate::link::Link;
use crate::metrics::{Metrics, Mode as ModeLabel};
use crate::record::Seen;
use service::Service;

/// How long an Envoy that has nothing waits for a control plane before it gets the last good state.
const PATIENCE_OF_THE_EMPTY: Duration = Duration::from_millis(300);
/// The same for an Envoy that has a configuration, which control planes may make wait when many come at once.
const PATIENCE: Duration = Duration::from_secs(15);

/// Who tells Envoy what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mode {
    /// Envoy has no stream.
    Idle,
    /// Nobody yet: no control plane answers, and there is no last good state.
    Waiting,
    LastGood,
    ControlPlane,
}

/// Runs until it is dropped.
pub struct Relay {
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

/// What the streams have in common.
pub(crate) struct Shared {
    /// The only one that is served.
    proxy: String,
    link: Link,
    record: Record,
    /// By the stream before.
    seen: Mutex<Arc<Seen>>,
    metrics: Arc<Metrics>,
    begun: Instant,
    /// Control planes that were there and did not answer, since one did.
    refusals: AtomicU32,
    streams: AtomicU64,
    /// Of the newest stream that lives.
    mode: watch::Sender<Mode>,
    newest: Mutex<u64>,
}

impl Relay {
    /// Serves a proxy at a door that is open.
    pub(crate) fn start(proxy: &str, door: Door, link: Link, record: Record, metrics: Arc<Metrics>) -> Self {
        let shared = Arc::new(Shared {
            proxy: proxy.to_owned(),
            link,
            record,
            seen: Mutex::default(),
            metrics,
            begun: Instant::now(),
            refusals: AtomicU32::new(0),
            streams: AtomicU64::new(0),
            mode: watch::Sender::new(Mode::Idle),
            newest: Mutex::new(0),
        });
        shared.show(Mode::Idle);
        let (stop, stopped) = oneshot::channel::<()>();
        let server = Server::builder().max_concurrent_streams(16).add_service(Service::new(Arc::clone(&shared)));
        let task = tokio::spawn(async move {
            let served = tokio::select! {
                served = door.serve(server) => served,
                _ = stopped => Ok(()),
            };
            if let Err(error) = served {
                tracing::error!(%error, "Envoy is not served any more");
            }
        });
        Self { shared, stop: Some(stop), task }
    }

    pub fn mode(&self) -> watch::Receiver<Mode> {
        self.shared.mode.subscribe()
    }

    /// Connects to a control plane anew, with certificates as their files now are.
    pub fn renew(&self) {
        self.shared.link.renew();
    }

    /// Takes no more streams.
    pub async fn stop(mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        drop((&mut self.task).await);
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Shared {
    fn next_stream(&self) -> u64 {
        let id = self.streams.fetch_add(1, Ordering::Relaxed) + 1;
        *self.newest.lock().unwrap_or_else(PoisonError::into_inner) = id;
        id
    }

    /// The newest stream's mode is the relay's.
    fn set_mode(&self, stream: u64, mode: Mode) {
        if *self.newest.lock().unwrap_or_else(PoisonError::into_inner) == stream {
            self.show(mode);
        }
    }

    fn show(&self, mode: Mode) {
        for each in [Mode::Idle, Mode::Waiting, Mode::LastGood, Mode::ControlPlane] {
            self.metrics.mode.get_or_create(&ModeLabel { mode: each.name() }).set(i64::from(each == mode));
        }
        self.mode.send_replace(mode);
    }

    fn seen(&self) -> Arc<Seen> {
        Arc::clone(&self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn set_seen(&self, seen: Seen) {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(seen);
    }

    fn now(&self) -> Duration {
        self.begun.elapsed()
    }
}

impl Mode {
    pub fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Waiting => "waiting",
            Self::LastGood => "last-good",
            Self::ControlPlane => "control-plane",
        }
    }
}

#[cfg(test)]
mod tests;
