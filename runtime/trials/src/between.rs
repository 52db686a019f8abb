//! P4: a replica dies after it told of a changed cluster, and before it told of its endpoints.

use std::sync::Arc;
use std::time::Duration;

use control_plane::Variant;
use local::EnvoyBinary;
use tokio::time::{Instant, sleep};

use crate::control::Control;
use crate::cut::Relay;
use crate::load::{Plan, Tally};
use crate::proxy::Trouble;
use crate::stage::Stage;

const POLL: Duration = Duration::from_millis(2);
const GRACE: Duration = Duration::from_secs(30);
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Clone, Debug)]
pub struct Interrupted {
    pub tally: Tally,
    /// From the death to answers that obey the change, which the other replica tells anew.
    pub converged: Duration,
    pub trouble: Trouble,
}

pub async fn between(binary: &EnvoyBinary, variant: Variant) -> anyhow::Result<Interrupted> {
    let stage = Stage::set(binary, 2).await?;
    let (first, second) = (stage.state(0)?, stage.state(1)?);
    // As every replica publishes it: what has left the mesh stays for a while.
    let followed = first.published.followed_by(second.published.mesh().clone(), Duration::ZERO, GRACE);
    let followed = Arc::new(followed);
    let (before, behind, after) = (stage.server(0)?, stage.server(1)?, stage.server(2)?);
    let dying = Control::start(behind, first.published.clone()).await?;
    let relay = Relay::start(before, behind).await?;
    let proxy = stage.proxy(variant, &[before, after]).await?;
    let load = Plan::steady(stage.edge()).start();
    let other = Control::start(after, followed.clone()).await?;
    relay.arm();
    dying.publish(followed);
    let deadline = Instant::now() + PATIENCE;
    while !relay.is_dead() {
        anyhow::ensure!(Instant::now() < deadline, "nothing was said that could be cut");
        sleep(POLL).await;
    }
    let converged = stage.converged(&load, second, PATIENCE).await?;
    let trouble = proxy.trouble().await?;
    let tally = load.stop().await;
    proxy.stop().await;
    other.stop().await;
    dying.stop().await;
    Ok(Interrupted { tally, converged, trouble })
}
