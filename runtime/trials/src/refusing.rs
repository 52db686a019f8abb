//! A8: one of many clients refuses everything. It is told each version once, and the others notice nothing.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::Context as _;
use compiler::snapshot::ResourceKind;
use local::EnvoyBinary;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use crate::client::{Stream, Verdict, connect, subscribe};
use crate::control::Control;
use crate::mesh::edge;
use crate::stage::Stage;

const PATIENCE: Duration = Duration::from_secs(10);
/// Nothing more comes within this time: nothing more comes.
const QUIET: Duration = Duration::from_millis(500);

#[derive(Clone, Debug)]
pub struct Told {
    pub published: usize,
    /// Responses to the client that refuses.
    pub refused: usize,
    /// Those of them whose version it had refused before.
    pub repeated: usize,
    /// From a change to a client that has it, sorted: all others, all changes.
    pub delays: Vec<Duration>,
}

/// `clients` take everything, one more refuses it; `changes` are published one after the other.
pub async fn refusing(binary: &EnvoyBinary, clients: usize, changes: usize) -> anyhow::Result<Told> {
    let stage = Stage::set(binary, changes + 1).await?;
    let server = stage.server(0)?;
    let control = Control::start(server, stage.state(0)?.published.clone()).await?;
    let clusters = || ResourceKind::Cluster.type_url();
    let mut taking = Vec::new();
    for index in 0..clients {
        let id = format!("{}~{index}", edge(0));
        let mut stream = subscribe(connect(server).await?, &id, clusters()).await?;
        taken(&mut stream).await?;
        taking.push(stream);
    }
    let refuser = subscribe(connect(server).await?, &format!("{}~refuser", edge(0)), clusters()).await?;
    let refuser = tokio::spawn(refuse(refuser));
    sleep(QUIET).await;
    let mut delays = Vec::new();
    for change in 1..=changes {
        let published = Instant::now();
        control.publish(stage.state(change)?.published.clone());
        let mut waiting = JoinSet::new();
        for mut stream in taking.drain(..) {
            waiting.spawn(async move {
                let version = taken(&mut stream).await?;
                let delay = published.elapsed();
                // What leaves with the change is a second response.
                settle(&mut stream, version).await?;
                anyhow::Ok((stream, delay))
            });
        }
        while let Some(waited) = waiting.join_next().await {
            let (stream, delay) = waited??;
            delays.push(delay);
            taking.push(stream);
        }
    }
    sleep(QUIET).await;
    drop(taking);
    control.stop().await;
    let (refused, repeated) = timeout(PATIENCE, refuser).await.context("the refuser's stream does not end")??;
    delays.sort_unstable();
    Ok(Told { published: changes + 1, refused, repeated, delays })
}

async fn taken(stream: &mut Stream) -> anyhow::Result<String> {
    let response = timeout(PATIENCE, stream.next()).await.context("nothing is told")??;
    stream.answer(&response, Verdict::Takes, "").await?;
    Ok(response.version_info)
}

async fn settle(stream: &mut Stream, mut version: String) -> anyhow::Result<String> {
    while let Ok(response) = timeout(QUIET, stream.next()).await {
        let response = response?;
        stream.answer(&response, Verdict::Takes, &version).await?;
        version = response.version_info;
    }
    Ok(version)
}

/// Refuses until the stream ends; how often, and how often the same again.
async fn refuse(mut stream: Stream) -> (usize, usize) {
    let (mut refused, mut versions) = (0, BTreeSet::new());
    while let Ok(response) = stream.next().await {
        refused += 1;
        versions.insert(response.version_info.clone());
        if stream.answer(&response, Verdict::Refuses, "").await.is_err() {
            break;
        }
    }
    (refused, refused - versions.len())
}
