//! Envoy, kept running as the first process of a container would: started, started again when it dies, drained before
//! it is stopped.

mod budget;
mod drain;
mod reap;

use std::ffi::OsString;
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use local::Admin;
use local::launch::{Program, Tie, launch};
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::Child;
use tokio::sync::{Mutex, mpsc, watch};
use tokio::time::{sleep, timeout};

pub use budget::Budget;

use crate::metrics::Metrics;

/// From SIGTERM to SIGKILL.
const END_WITHIN: Duration = Duration::from_secs(5);

/// How Envoy is run.
#[derive(Clone, Debug)]
pub struct EnvoyPlan {
    pub path: PathBuf,
    pub arguments: Vec<OsString>,
    /// The working directory, from which the configuration names files.
    pub folder: PathBuf,
    pub tie: Tie,
    pub admin: Admin,
    /// How long Envoy may take to finish what it does before it is stopped.
    pub drain: Duration,
    pub budget: Budget,
}

/// What Envoy is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// Not started yet, or dead and about to be started again.
    Down,
    Running {
        pid: u32,
    },
    /// It is to end when it has finished what it does.
    Draining,
}

/// How it ended.
#[derive(Debug)]
pub enum Ended {
    /// As asked.
    Stopped,
    /// It died too often.
    GaveUp(ExitStatus),
    CannotStart(io::Error),
}

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The first drains, the second ends the draining, the third ends Envoy.
    Stop,
}

impl Ended {
    /// What a shell would say of it.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Stopped => 0,
            Self::GaveUp(status) => {
                let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
                // Whoever gives up did not succeed, even if Envoy says that it did.
                code.and_then(|code| u8::try_from(code).ok()).filter(|code| *code != 0).unwrap_or(1)
            }
            Self::CannotStart(_) => 74,
        }
    }
}

/// Runs Envoy until it is asked to stop or dies too often.
pub(crate) async fn supervise(
    plan: EnvoyPlan,
    mut orders: mpsc::Receiver<Order>,
    life: watch::Sender<Life>,
    metrics: Arc<Metrics>,
) -> Ended {
    let own = Arc::new(Mutex::new(None));
    // The reaper must not take Envoy's end from us: it knows which process is Envoy.
    let _reaper = reap::start(Arc::clone(&own), Arc::clone(&metrics));
    let mut budget = plan.budget.clone();
    loop {
        let mut child = match start(&plan, &own).await {
            Ok(child) => child,
            Err(error) => return Ended::CannotStart(error),
        };
        if let Some(pid) = child.id() {
            life.send_replace(Life::Running { pid });
        }
        let status = tokio::select! {
            status = child.wait() => status,
            _ = orders.recv() => {
                life.send_replace(Life::Draining);
                metrics.draining.set(1);
                stop(child, &plan, &mut orders).await;
                *own.lock().await = None;
                return Ended::Stopped;
            }
        };
        *own.lock().await = None;
        life.send_replace(Life::Down);
        let status = match status {
            Ok(status) => status,
            Err(error) => return Ended::CannotStart(error),
        };
        let Some(pause) = budget.spend() else {
            tracing::error!(%status, "Envoy died too often: given up");
            return Ended::GaveUp(status);
        };
        tracing::error!(%status, ?pause, "Envoy died: it is started again");
        metrics.restarts.inc();
        tokio::select! {
            () = sleep(pause) => {}
            _ = orders.recv() => return Ended::Stopped,
        }
    }
}

async fn start(plan: &EnvoyPlan, own: &Mutex<Option<u32>>) -> io::Result<Child> {
    // Held while it starts: until its id is known, it looks like anybody's child.
    let mut own = own.lock().await;
    let program = Program {
        path: plan.path.clone(),
        arguments: plan.arguments.clone(),
        folder: plan.folder.clone(),
        stdout: Stdio::inherit(),
        stderr: Stdio::inherit(),
        tie: plan.tie.clone(),
    };
    let child = launch(program).await?;
    *own = child.id();
    Ok(child)
}

/// Drained, asked, forced: further orders skip what is left of each.
async fn stop(mut child: Child, plan: &EnvoyPlan, orders: &mut mpsc::Receiver<Order>) {
    tracing::info!(limit = ?plan.drain, "draining Envoy");
    tokio::select! {
        _ = child.wait() => return,
        () = drain::drain(plan.admin, plan.drain) => {}
        _ = orders.recv() => {}
    }
    // The id belongs to this child until it is waited for.
    if let Some(pid) = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)) {
        let _ = kill_process(pid, Signal::TERM);
    }
    let ended = tokio::select! {
        ended = timeout(END_WITHIN, child.wait()) => ended.is_ok(),
        _ = orders.recv() => false,
    };
    if !ended {
        drop(child.kill().await);
    }
}
