//! A3: the control plane is gone for a while, and comes back; P2: with nothing new to say.

use std::time::Duration;

use control_plane::Variant;
use local::EnvoyBinary;
use tokio::time::{Instant, sleep};

use crate::control::Control;
use crate::load::{Plan, Tally};
use crate::proxy::{Changes, Trouble};
use crate::stage::Stage;

const POLL: Duration = Duration::from_millis(5);
const PATIENCE: Duration = Duration::from_secs(60);
const CONNECTED: &str = "control_plane.connected_state";

#[derive(Clone, Debug)]
pub struct Outage {
    pub binary: EnvoyBinary,
    pub variant: Variant,
    pub lasts: Duration,
    pub pause: Duration,
}

#[derive(Clone, Debug)]
pub struct Returned {
    pub tally: Tally,
    /// From the return of the control plane to Envoy's next stream.
    pub reconnect: Duration,
    /// What changed in Envoy because it was told the same again.
    pub changes: Changes,
    pub trouble: Trouble,
    /// From a change after that to answers that obey it.
    pub converged: Duration,
}

pub async fn outage(trial: &Outage) -> anyhow::Result<Returned> {
    let stage = Stage::set(&trial.binary, 2).await?;
    let (server, first, second) = (stage.server(0)?, stage.state(0)?, stage.state(1)?);
    let control = Control::start(server, first.published.clone()).await?;
    let proxy = stage.proxy(trial.variant, &[server]).await?;
    let load = Plan { pause: trial.pause, ..Plan::full(stage.edge()) }.start();
    let before = proxy.changes().await?;
    drop(control);
    sleep(trial.lasts).await;
    anyhow::ensure!(proxy.counter(CONNECTED).await? == 0, "Envoy is still connected");
    let control = Control::start(server, first.published.clone()).await?;
    let returned = Instant::now();
    while proxy.counter(CONNECTED).await? == 0 {
        anyhow::ensure!(returned.elapsed() < PATIENCE, "Envoy does not come back");
        sleep(POLL).await;
    }
    let reconnect = returned.elapsed();
    // Until everything was told again: of every type at least one answer more.
    load.more(2000).await;
    let after = proxy.changes().await?;
    control.publish(second.published.clone());
    let converged = stage.converged(&load, second, PATIENCE).await?;
    let trouble = proxy.trouble().await?;
    let tally = load.stop().await;
    proxy.stop().await;
    control.stop().await;
    let changes = after.since(before);
    Ok(Returned { tally, reconnect, changes, trouble, converged })
}
