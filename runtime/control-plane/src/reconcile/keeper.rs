//! Keeps what is served in the store, beside serving: a slow disk slows nobody down, and of many states the newest is kept.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, mpsc};
use tokio::task::{JoinHandle, spawn_blocking};
use tracing::{Instrument as _, Span};

use crate::published::{Published, State};
use crate::store::Store;

/// How long until a state is tried again that could not be kept.
const AGAIN: Duration = Duration::from_secs(10);

pub(super) struct Keeper {
    inbox: Arc<Inbox>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Inbox {
    /// What is to be kept next, and the reconcile that made it.
    order: Mutex<Option<(Arc<Published>, Span)>>,
    stopping: AtomicBool,
    wake: Notify,
}

impl Keeper {
    /// Says of each state whether it was kept, or why not.
    pub(super) fn start(store: Arc<dyn Store>, results: mpsc::Sender<Result<(), String>>) -> Self {
        let inbox = Arc::new(Inbox::default());
        Self { inbox: Arc::clone(&inbox), task: tokio::spawn(keep(store, inbox, results)) }
    }

    pub(super) fn keep(&self, published: &Arc<Published>) {
        self.inbox.put(Some((Arc::clone(published), Span::current())));
        self.inbox.wake.notify_one();
    }

    /// After the last state was kept.
    pub(super) async fn stop(self) {
        self.inbox.stopping.store(true, Ordering::Release);
        self.inbox.wake.notify_one();
        // A panic in it was reported where it happened.
        let _ = self.task.await;
    }
}

async fn keep(store: Arc<dyn Store>, inbox: Arc<Inbox>, results: mpsc::Sender<Result<(), String>>) {
    loop {
        // Before the inbox is looked at: what is put there afterwards is not this one's to keep.
        let stopping = inbox.stopping.load(Ordering::Acquire);
        let Some((published, reconcile)) = inbox.put(None) else {
            if stopping {
                return;
            }
            inbox.wake.notified().await;
            continue;
        };
        let span = tracing::info_span!(parent: &reconcile, "store");
        drop(reconcile);
        let result = save(&store, Arc::clone(&published)).instrument(span).await;
        let failed = result.is_err();
        // Nobody listens any more when all is being stopped.
        let _ = results.send(result).await;
        if failed && !stopping {
            // Woken by a newer state, or by the end.
            let _ = tokio::time::timeout(AGAIN, inbox.wake.notified()).await;
            inbox.put_if_none(published);
        }
    }
}

impl Inbox {
    /// Returns what was there.
    fn put(&self, order: Option<(Arc<Published>, Span)>) -> Option<(Arc<Published>, Span)> {
        std::mem::replace(&mut *self.order.lock().unwrap_or_else(PoisonError::into_inner), order)
    }

    fn put_if_none(&self, published: Arc<Published>) {
        self.order.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert((published, Span::none()));
    }
}

async fn save(store: &Arc<dyn Store>, published: Arc<Published>) -> Result<(), String> {
    let store = Arc::clone(store);
    let saved = spawn_blocking(move || store.save(&State::of_published(&published))).await;
    match saved {
        Ok(saved) => saved.map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    }
}
