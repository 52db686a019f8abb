//! A10: some Envoys stand still and many clients never read, while a hundred changes a second are published.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use compiler::snapshot::ResourceKind;
use control_plane::Variant;
use local::EnvoyBinary;
use rustix::process::{Pid, Signal, kill_process};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::client::{connect, subscribe};
use crate::load::{Plan, Tally};
use crate::mesh::{edge, state};
use crate::proxy::Proxy;
use crate::replica::{Replica, Schedule, since_1970};
use crate::stage::Stage;

const RING: usize = 40;
const PATIENCE: Duration = Duration::from_secs(30);
const WARM_UP: Duration = Duration::from_secs(10);
/// For each Envoy to start.
const START: Duration = Duration::from_secs(3);
const LOOK: Duration = Duration::from_millis(100);

#[derive(Clone, Debug)]
pub struct Stalled {
    pub binary: EnvoyBinary,
    /// What has the command [`crate::replica::COMMAND`].
    pub program: PathBuf,
    pub variant: Variant,
    pub envoys: usize,
    /// So many of them are stopped, the last ones.
    pub stopped: usize,
    pub never_reading: usize,
    pub per_second: f64,
    pub lasts: Duration,
    pub pause: Duration,
}

#[derive(Clone, Debug)]
pub struct Grown {
    pub tally: Tally,
    /// Kilobytes resident of the control plane: when some stood still and all streams were there, and the most since.
    pub before: u64,
    pub most: u64,
    /// From the last change to answers that obey it, of an Envoy that was not stopped.
    pub converged: Duration,
    /// From going on to answers that obey the last change, of one that was.
    pub caught_up: Duration,
}

impl Grown {
    pub fn percent(&self) -> f64 {
        100.0 * (self.most as f64 - self.before as f64) / self.before.max(1) as f64
    }
}

pub async fn stalled(trial: &Stalled) -> anyhow::Result<Grown> {
    let stage = Stage::with(&trial.binary, RING + 1, trial.envoys, state).await?;
    let server = stage.server(0)?;
    let until = since_1970() + START * u32::try_from(trial.envoys)? + WARM_UP * 2 + trial.lasts;
    let schedule = Schedule {
        listen: server,
        edges: stage.places.edges.clone(),
        backends: stage.places.backends.clone(),
        ring: RING,
        per_second: trial.per_second,
        until: u64::try_from(until.as_millis()).unwrap_or(u64::MAX),
    };
    let replica = Replica::start(&trial.program, &schedule).await?;
    let mut envoys = Vec::new();
    for index in 0..trial.envoys {
        envoys.push(stage.proxy_of(index, trial.variant, &[server]).await?);
    }
    let load = Plan { pause: trial.pause, ..Plan::full(stage.edge()) }.start();
    sleep(WARM_UP).await;
    let still = envoys.split_off(trial.envoys.saturating_sub(trial.stopped));
    still.iter().try_for_each(|envoy| signal(envoy, Signal::STOP))?;
    let idle = never_reading(&stage, trial.never_reading).await?;
    // What the streams take is taken; changes must not take more.
    sleep(WARM_UP).await;
    let before = resident(&replica)?;
    let mut most = before;
    while since_1970() < until {
        most = most.max(resident(&replica)?);
        sleep(LOOK).await;
    }
    let last = stage.state(RING)?;
    let converged = stage.converged(&load, last, PATIENCE).await?;
    most = most.max(resident(&replica)?);
    let tally = load.stop().await;
    still.iter().try_for_each(|envoy| signal(envoy, Signal::CONT))?;
    let one = still.first().context("some Envoys were stopped")?;
    let load = Plan::steady(one.traffic()).start();
    let caught_up = stage.converged(&load, last, PATIENCE).await?;
    load.stop().await;
    drop(idle);
    let mut stopping = JoinSet::new();
    for envoy in envoys.into_iter().chain(still) {
        stopping.spawn(envoy.stop());
    }
    stopping.join_all().await;
    Ok(Grown { tally, before, most, converged, caught_up })
}

/// Streams that ask for everything and take nothing of it.
async fn never_reading(stage: &Stage, count: usize) -> anyhow::Result<Vec<crate::client::Stream>> {
    let mut streams = Vec::new();
    for index in 0..count {
        let channel = connect(stage.server(0)?).await?;
        let id = format!("{}~idle-{index}", edge(0));
        streams.push(subscribe(channel, &id, ResourceKind::Cluster.type_url()).await?);
    }
    Ok(streams)
}

fn signal(envoy: &Proxy, signal: Signal) -> anyhow::Result<()> {
    let pid = envoy.pid().and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?)).context("Envoy runs")?;
    Ok(kill_process(pid, signal)?)
}

/// Kilobytes of memory that a replica has resident.
fn resident(replica: &Replica) -> anyhow::Result<u64> {
    let pid = replica.pid().context("the replica runs")?;
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("there is a VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}
