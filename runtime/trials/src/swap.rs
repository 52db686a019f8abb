//! A1: the cluster that a route leads to is another one many times a second.

use std::time::Duration;

use control_plane::Variant;
use local::EnvoyBinary;
use tokio::time::{Instant, interval};

use crate::control::Control;
use crate::load::{Plan, Tally};
use crate::mesh;
use crate::proxy::{Changes, Trouble};
use crate::stage::Stage;

/// So many clusters take turns.
const RING: usize = 40;
const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Clone, Debug)]
pub struct Swap {
    pub binary: EnvoyBinary,
    pub variant: Variant,
    pub per_second: f64,
    /// What changes.
    pub what: What,
    pub lasts: Duration,
    /// Between requests of a connection.
    pub pause: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// The cluster that the route leads to.
    Clusters,
    /// That, the listener, and whether it has a filter of ours.
    Listeners,
}

#[derive(Clone, Debug)]
pub struct Swapped {
    pub published: u64,
    pub tally: Tally,
    /// From the last change to the first answer since which all obey it.
    pub converged: Duration,
    pub trouble: Trouble,
    pub changes: Changes,
}

pub async fn swap(trial: &Swap) -> anyhow::Result<Swapped> {
    let text = match trial.what {
        What::Clusters => mesh::state,
        What::Listeners => mesh::listening,
    };
    let stage = Stage::with(&trial.binary, RING + 1, 1, text).await?;
    let control = Control::start(stage.server(0)?, stage.state(0)?.published.clone()).await?;
    let proxy = stage.proxy(trial.variant, &[stage.server(0)?]).await?;
    let load = Plan { pause: trial.pause, ..Plan::full(stage.edge()) }.start();
    let before = proxy.changes().await?;
    let end = Instant::now() + trial.lasts;
    let mut turns = interval(Duration::from_secs_f64(1.0 / trial.per_second));
    let mut published = 0_u64;
    while Instant::now() < end {
        turns.tick().await;
        let number = usize::try_from(published)? % RING;
        control.publish(stage.state(number)?.published.clone());
        published += 1;
    }
    let last = stage.state(RING)?;
    control.publish(last.published.clone());
    let converged = stage.converged(&load, last, PATIENCE).await?;
    // A while longer: clusters that nothing refers to any more are being removed.
    load.more(200).await;
    let (trouble, after) = (proxy.trouble().await?, proxy.changes().await?);
    let tally = load.stop().await;
    proxy.stop().await;
    control.stop().await;
    let changes = after.since(before);
    Ok(Swapped { published: published + 1, tally, converged, trouble, changes })
}
