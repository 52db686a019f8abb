//! Waiting for processes whose parents have ended, which the first process of a container inherits: nobody else can
//! free their entries.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Pid, WaitOptions, getpid, set_child_subreaper, waitpid};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::metrics::Metrics;

/// Several ends may be told by one signal.
const SWEEP: Duration = Duration::from_secs(1);

/// Runs until it is dropped.
pub(super) struct Reaper {
    task: JoinHandle<()>,
}

impl Drop for Reaper {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// `own` is the child that somebody else waits for; it is held while one is started.
pub(super) fn start(own: Arc<Mutex<Option<u32>>>, metrics: Arc<Metrics>) -> Reaper {
    // So that it is the same outside of a container.
    let _ = set_child_subreaper(Some(getpid()));
    Reaper { task: tokio::spawn(reap(own, metrics)) }
}

async fn reap(own: Arc<Mutex<Option<u32>>>, metrics: Arc<Metrics>) {
    let Ok(mut ends) = signal(SignalKind::child()) else { return };
    loop {
        tokio::select! {
            _ = ends.recv() => {}
            () = sleep(SWEEP) => {}
        }
        let own = own.lock().await;
        for pid in zombies().into_iter().filter(|pid| Some(*pid) != *own) {
            let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { continue };
            if let Ok(Some(_)) = waitpid(Some(pid), WaitOptions::NOHANG) {
                metrics.reaped.inc();
            }
        }
    }
}

/// Children of ours that have ended and were not waited for.
fn zombies() -> Vec<u32> {
    let us = std::process::id();
    let Ok(processes) = fs::read_dir("/proc") else { return Vec::new() };
    let pids = processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    pids.filter(|pid| is_zombie_of(*pid, us).unwrap_or(false)).collect()
}

fn is_zombie_of(pid: u32, parent: u32) -> Option<bool> {
    let status = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // `pid (name) state parent …`; a name may hold anything.
    let (_, rest) = status.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace();
    Some(fields.next()? == "Z" && fields.next()?.parse::<u32>().ok()? == parent)
}
