//! From files to what is served: watches the sources, compiles them apart, publishes what passes the guard.
//!
//! ```text
//! events ─▶ rest ─▶ digests differ? ─▶ compile ─▶ read again: still the same? ─▶ guard ─▶ publish ─▶ keep
//! ```
//!
//! Whatever goes wrong on the way, what is served stays.

mod asked;
pub mod attempt;
pub mod child;
pub mod files;
mod keeper;
pub mod rest;
pub mod state;
mod task;
mod watch;

use std::ffi::OsString;
use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use compiler::import::ecs::Wants;
use tokio::sync::{mpsc, oneshot, watch as latest};
use tokio::task::JoinHandle;

use crate::admin::{Allow, NotHeld};
use crate::guard;
use crate::metrics::Metrics;
use crate::published::Published;
use crate::status::Status;
use crate::store::Store;

pub use attempt::{Attempt, Ecs, Failure, Findings};
pub use child::Child;
pub use files::Digests;
pub use rest::Patience;
pub use state::Policy;

/// Reads, checks and compiles the sources. It may panic or hang: the reconciler does not.
pub trait Compile: Send + Sync + 'static {
    fn compile(&self) -> impl Future<Output = Attempt> + Send;
}

#[derive(Clone, Debug)]
pub struct Options {
    /// Where reading begins: files that are watched before a first attempt told which others there are.
    pub sources: Vec<PathBuf>,
    pub policy: Policy,
    pub patience: Patience,
    /// How often files are looked at although nothing was reported: some file systems report nothing.
    pub poll: Duration,
    /// How long an attempt may take.
    pub time: Duration,
    /// The one of them that nobody edits: what runs, of which every change is meant.
    pub observed: Option<PathBuf>,
    /// What makes the mesh besides files: another word is another mesh, as if somebody had edited it.
    pub said: Vec<OsString>,
}

/// A reconciler that runs until it is stopped.
#[derive(Debug)]
pub struct Reconciler {
    pub published: latest::Receiver<Arc<Published>>,
    pub status: latest::Receiver<Status>,
    /// What the mesh that is served needs to know of AWS. Nothing before the sources were read.
    pub wants: latest::Receiver<Option<Wants>>,
    commands: mpsc::Sender<Command>,
    task: JoinHandle<()>,
}

enum Command {
    /// Look at the files now.
    Look,
    Allow(String, oneshot::Sender<Result<(), NotHeld>>),
    Trouble(Option<String>),
    Stop,
}

/// Loads what was served last and begins to look at the sources. `store` is nothing where states are not to be kept.
/// Needs a tokio runtime.
///
/// When it returns, what was stored is published already: whoever listens next serves it.
pub fn start(options: Options, compile: impl Compile, store: Option<Arc<dyn Store>>, metrics: Metrics) -> Reconciler {
    let (commands, inbox) = mpsc::channel(16);
    let (wants_sender, wants) = latest::channel(None);
    let (published, status, task) = task::start(options, compile, store, metrics, inbox, wants_sender);
    Reconciler { published, status, wants, commands, task }
}

impl Reconciler {
    /// Looks at the files now, whatever was reported; a file that is being written is waited for all the same.
    ///
    /// Many calls at once are one look.
    pub fn look(&self) {
        // A full inbox looks soon enough.
        let _ = self.commands.try_send(Command::Look);
    }

    /// Says why what the sources say is not what is there: what is served is stale as long as there is a reason.
    pub fn trouble(&self) -> impl Fn(Option<String>) + Send + Sync + 'static {
        let commands = self.commands.clone();
        move |reason| {
            // Whoever is told of trouble again and again misses one word of it.
            let _ = commands.try_send(Command::Trouble(reason));
        }
    }

    /// For the administration's page.
    pub fn allow(&self) -> Allow {
        let commands = self.commands.clone();
        Arc::new(move |digest| {
            let commands = commands.clone();
            Box::pin(async move {
                let (answer, allowed) = oneshot::channel();
                commands.send(Command::Allow(digest, answer)).await.map_err(|_| NotHeld)?;
                allowed.await.map_err(|_| NotHeld)?
            })
        })
    }

    /// After what is served was kept.
    pub async fn stop(self) {
        // Whoever has ended already needs no word.
        let _ = self.commands.send(Command::Stop).await;
        let _ = self.task.await;
    }
}

impl Options {
    /// The defaults, for a mesh in this file.
    pub fn new(source: impl Into<PathBuf>) -> Self {
        Self {
            sources: vec![source.into()],
            policy: Policy::default(),
            patience: Patience::default(),
            poll: Duration::from_secs(5),
            time: Duration::from_secs(30),
            observed: None,
            said: Vec::new(),
        }
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self { grace: Duration::from_secs(30), limits: Some(guard::Limits::default()) }
    }
}
