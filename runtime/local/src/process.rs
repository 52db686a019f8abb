//! One Envoy, kept running: started, watched, started again when it dies, stopped in order.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::Child;
use tokio::sync::{broadcast, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use crate::admin::Admin;
use crate::envoy::EnvoyBinary;
use crate::launch::{Program, Tie, launch};

const READY_POLL: Duration = Duration::from_millis(20);
const FIRST_BACK_OFF: Duration = Duration::from_millis(100);
const LONGEST_BACK_OFF: Duration = Duration::from_secs(5);
/// So many restarts within [`RESTART_WINDOW`] are tried before giving up.
const RESTART_BUDGET: usize = 5;
const RESTART_WINDOW: Duration = Duration::from_secs(60);
const TAIL_BYTES: u64 = 4096;
const TAIL_LINES: usize = 12;

/// How to run one Envoy.
#[derive(Clone, Debug)]
pub struct EnvoyRun {
    /// The instance's name, for events and errors.
    pub name: String,
    pub binary: EnvoyBinary,
    pub config: PathBuf,
    /// The working directory.
    pub folder: PathBuf,
    /// Gets what Envoy logs. Appended to, so a restart does not wipe out why it happened.
    pub log: PathBuf,
    /// Gets standard output, which is the access log.
    pub access_log: PathBuf,
    pub log_level: String,
    /// How many threads serve requests.
    pub workers: u32,
    pub admin: Admin,
    /// How long Envoy may take until it is ready.
    pub ready_within: Duration,
}

/// Something that happened to an Envoy that was ready before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    pub instance: String,
    pub kind: EventKind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// With the exit status or signal.
    Died { status: String },
    /// It is ready again, as this process.
    Restarted { pid: u32 },
    /// It died too often, or cannot be started; it stays down.
    GaveUp { reason: String },
}

/// Why an Envoy did not start.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    #[error("cannot write `{path}`: {source}")]
    Log { path: PathBuf, source: io::Error },
    #[error("cannot run `{path}`: {source}")]
    Spawn { path: PathBuf, source: io::Error },
    #[error("it ended before it was ready ({status}); its log ends with\n{log_tail}")]
    Ended { status: String, log_tail: String },
    #[error("it was not ready within {within:?}; its log ends with\n{log_tail}")]
    NotReady { within: Duration, log_tail: String },
}

/// An Envoy that was ready. Dropping it kills the process.
#[derive(Debug)]
pub struct Supervised {
    pid: watch::Receiver<Option<u32>>,
    /// Carries the time that Envoy has to end by itself. Dropped: none.
    stop: Option<oneshot::Sender<Duration>>,
    task: JoinHandle<()>,
}

/// Starts Envoy and returns when it is ready. From then on deaths are told to `events`.
pub async fn supervise(run: EnvoyRun, events: broadcast::Sender<Event>) -> Result<Supervised, ProcessError> {
    let child = start(&run).await?;
    let (pid_sender, pid) = watch::channel(child.id());
    let (stop, stopped) = oneshot::channel();
    let task = tokio::spawn(keep_running(run, child, events, pid_sender, stopped));
    Ok(Supervised { pid, stop: Some(stop), task })
}

impl Supervised {
    /// `None` while it is down.
    pub fn pid(&self) -> Option<u32> {
        *self.pid.borrow()
    }

    /// SIGTERM, and SIGKILL after `grace`. The process is gone when this returns.
    pub async fn stop(mut self, grace: Duration) {
        if let Some(stop) = self.stop.take() {
            // An Envoy that was given up has nobody listening.
            let _ = stop.send(grace);
        }
        // The task neither panics nor is it cancelled before `self` is dropped.
        drop((&mut self.task).await);
    }
}

impl Drop for Supervised {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn keep_running(
    run: EnvoyRun,
    mut child: Child,
    events: broadcast::Sender<Event>,
    pid: watch::Sender<Option<u32>>,
    mut stop: oneshot::Receiver<Duration>,
) {
    // Nobody has to listen.
    let tell = |kind| drop(events.send(Event { instance: run.name.clone(), kind }));
    let mut restarts = VecDeque::new();
    loop {
        tokio::select! {
            grace = &mut stop => return end(child, grace.unwrap_or_default()).await,
            status = child.wait() => {
                pid.send_replace(None);
                tell(EventKind::Died { status: describe(status) });
            }
        }
        // While restarting, the half-started process is killed as its future is dropped.
        let restarted = tokio::select! {
            _ = &mut stop => return,
            restarted = restart(&run, &mut restarts) => restarted,
        };
        match restarted {
            Ok(new) => child = new,
            Err(reason) => return tell(EventKind::GaveUp { reason }),
        }
        if let Some(id) = child.id() {
            pid.send_replace(Some(id));
            tell(EventKind::Restarted { pid: id });
        }
    }
}

async fn restart(run: &EnvoyRun, restarts: &mut VecDeque<Instant>) -> Result<Child, String> {
    let mut reason = "it died too often".to_owned();
    loop {
        while restarts.front().is_some_and(|restart| restart.elapsed() > RESTART_WINDOW) {
            restarts.pop_front();
        }
        if restarts.len() >= RESTART_BUDGET {
            return Err(reason);
        }
        sleep(back_off(restarts.len())).await;
        restarts.push_back(Instant::now());
        match start(run).await {
            Ok(child) => return Ok(child),
            Err(error) => reason = error.to_string(),
        }
    }
}

fn back_off(restarts: usize) -> Duration {
    let doublings = u32::try_from(restarts).unwrap_or(u32::MAX).min(16);
    FIRST_BACK_OFF.saturating_mul(1 << doublings).min(LONGEST_BACK_OFF)
}

async fn start(run: &EnvoyRun) -> Result<Child, ProcessError> {
    let arguments = [
        "-c".into(),
        run.config.clone().into_os_string(),
        "--disable-hot-restart".into(),
        "--concurrency".into(),
        run.workers.to_string().into(),
        "--log-level".into(),
        run.log_level.clone().into(),
        // By default an access log line may wait for ten seconds.
        "--file-flush-interval-msec".into(),
        "50".into(),
    ];
    let program = Program {
        path: run.binary.path().to_owned(),
        arguments: arguments.into_iter().collect::<Vec<OsString>>(),
        folder: run.folder.clone(),
        stdout: appending(&run.access_log)?.into(),
        stderr: appending(&run.log)?.into(),
        tie: Tie::Setpriv,
    };
    let spawned = launch(program).await;
    let mut child = spawned.map_err(|source| ProcessError::Spawn { path: run.binary.path().to_owned(), source })?;
    tokio::select! {
        status = child.wait() => {
            Err(ProcessError::Ended { status: describe(status), log_tail: tail(&run.log) })
        }
        () = ready(run.admin) => Ok(child),
        () = sleep(run.ready_within) => {
            Err(ProcessError::NotReady { within: run.ready_within, log_tail: tail(&run.log) })
        }
    }
}

async fn ready(admin: Admin) {
    while !admin.is_ready().await {
        sleep(READY_POLL).await;
    }
}

async fn end(mut child: Child, grace: Duration) {
    // The id belongs to this child until it is waited for, which happens below.
    if let Some(pid) = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)) {
        let _ = kill_process(pid, Signal::TERM);
    }
    if timeout(grace, child.wait()).await.is_err() {
        drop(child.kill().await);
    }
}

fn appending(path: &Path) -> Result<File, ProcessError> {
    let opened = OpenOptions::new().create(true).append(true).open(path);
    opened.map_err(|source| ProcessError::Log { path: path.to_owned(), source })
}

fn describe(status: io::Result<ExitStatus>) -> String {
    status.map_or_else(|error| error.to_string(), |status| status.to_string())
}

/// The last lines of a log; what cannot be read is left out.
fn tail(path: &Path) -> String {
    let read = || -> io::Result<Vec<u8>> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
        let mut bytes = Vec::new();
        file.take(TAIL_BYTES).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = read().unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().collect();
    lines.get(lines.len().saturating_sub(TAIL_LINES)..).unwrap_or_default().join("\n")
}
