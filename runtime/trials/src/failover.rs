//! A2: of two replicas the one that Envoy asks is killed again and again, while what they publish changes.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use control_plane::Variant;
use local::EnvoyBinary;
use tokio::time::{Instant, sleep};

use crate::load::{Plan, Tally};
use crate::proxy::{Proxy, Trouble};
use crate::replica::{Replica, Schedule, since_1970};
use crate::stage::Stage;

const RING: usize = 40;
const POLL: Duration = Duration::from_millis(2);
/// For the replicas and Envoy to be there.
const START: Duration = Duration::from_secs(8);
const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Clone, Debug)]
pub struct Failover {
    pub binary: EnvoyBinary,
    /// What has the command [`crate::replica::COMMAND`].
    pub program: PathBuf,
    pub variant: Variant,
    pub per_second: f64,
    pub lasts: Duration,
    /// Between two kills.
    pub every: Duration,
    pub pause: Duration,
}

#[derive(Clone, Debug)]
pub struct Survived {
    pub kills: usize,
    pub tally: Tally,
    /// From a kill to the next stream, sorted.
    pub reconnects: Vec<Duration>,
    pub converged: Duration,
    pub trouble: Trouble,
}

pub async fn fail_over(trial: &Failover) -> anyhow::Result<Survived> {
    let stage = Stage::set(&trial.binary, RING + 1).await?;
    let servers = [stage.server(0)?, stage.server(1)?];
    let until = since_1970() + trial.lasts + START;
    let schedule = |listen: SocketAddr| Schedule {
        listen,
        edges: stage.places.edges.clone(),
        backends: stage.places.backends.clone(),
        ring: RING,
        per_second: trial.per_second,
        until: u64::try_from(until.as_millis()).unwrap_or(u64::MAX),
    };
    let mut replicas = [
        Some(Replica::start(&trial.program, &schedule(servers[0])).await?),
        Some(Replica::start(&trial.program, &schedule(servers[1])).await?),
    ];
    let proxy = stage.proxy(trial.variant, &servers).await?;
    let load = Plan { pause: trial.pause, ..Plan::full(stage.edge()) }.start();
    let (mut kills, mut reconnects) = (0, Vec::new());
    let end = Instant::now() + trial.lasts;
    while Instant::now() + trial.every < end {
        sleep(trial.every).await;
        let asked = asked(&proxy, &servers).await?;
        if let Some(replica) = replicas.get_mut(asked).and_then(Option::take) {
            let killed = Instant::now();
            replica.kill().await?;
            kills += 1;
            reconnects.push(reconnected(&proxy, &servers, asked, killed).await?);
        }
        if let (Some(place), Some(server)) = (replicas.get_mut(asked), servers.get(asked)) {
            *place = Some(Replica::start(&trial.program, &schedule(*server)).await?);
        }
    }
    let last = stage.state(RING)?;
    sleep(until.saturating_sub(since_1970())).await;
    let converged = stage.converged(&load, last, PATIENCE).await?;
    load.more(200).await;
    let trouble = proxy.trouble().await?;
    let tally = load.stop().await;
    proxy.stop().await;
    reconnects.sort_unstable();
    Ok(Survived { kills, tally, reconnects, converged, trouble })
}

/// Which of the servers has Envoy's stream.
async fn asked(proxy: &Proxy, servers: &[SocketAddr]) -> anyhow::Result<usize> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(asked) = streams(proxy, servers).await?.iter().position(|streams| *streams > 0) {
            return Ok(asked);
        }
        anyhow::ensure!(Instant::now() < deadline, "Envoy has no stream");
        sleep(POLL).await;
    }
}

async fn reconnected(proxy: &Proxy, servers: &[SocketAddr], killed: usize, since: Instant) -> anyhow::Result<Duration> {
    loop {
        let streams = streams(proxy, servers).await?;
        if streams.iter().enumerate().any(|(index, streams)| index != killed && *streams > 0) {
            return Ok(since.elapsed());
        }
        anyhow::ensure!(since.elapsed() < PATIENCE, "Envoy does not ask the other server");
        sleep(POLL).await;
    }
}

/// Requests that are active, by server.
async fn streams(proxy: &Proxy, servers: &[SocketAddr]) -> anyhow::Result<Vec<u64>> {
    let text = proxy.admin().get("/clusters").await?;
    let active = |server: &SocketAddr| {
        let of = format!("::{server}::rq_active::");
        let found = text.text().lines().find_map(|line| line.split_once(&of)?.1.parse().ok());
        found.unwrap_or(0)
    };
    Ok(servers.iter().map(active).collect())
}
