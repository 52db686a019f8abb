//! A9: something that Envoy refuses is published in the middle of a run, and then something right.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use compiler::snapshot::ResourceKind;
use control_plane::{Published, Resources, Served, Variant, View};
use envoy::config::cluster::v3::Cluster;
use local::EnvoyBinary;
use prost::Message as _;
use tokio::time::{Instant, sleep};

use crate::control::Control;
use crate::load::{Plan, Tally};
use crate::stage::{Stage, State};

const POLL: Duration = Duration::from_millis(5);
const PATIENCE: Duration = Duration::from_secs(20);
/// Requests while the refused state is what should be.
const MEANWHILE: u64 = 2000;
const REJECTED: &str = "cluster_manager.cds.update_rejected";

/// What is wrong with the cluster that the route would lead to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// A rule of the message's own: Envoy takes nothing of the response.
    Invalid,
    /// Something that Envoy finds only when it makes the cluster: it takes the rest.
    Impossible,
}

#[derive(Clone, Debug)]
pub struct Refused {
    pub tally: Tally,
    /// How often Envoy refused something: 1 is the least that can be.
    pub rejected: u64,
    /// From the next good state to answers that obey it.
    pub converged: Duration,
}

pub async fn refused(binary: &EnvoyBinary, variant: Variant, wrong: Wrong) -> anyhow::Result<Refused> {
    let stage = Stage::set(binary, 3).await?;
    let (server, first, last) = (stage.server(0)?, stage.state(0)?, stage.state(2)?);
    let control = Control::start(server, first.published.clone()).await?;
    let proxy = stage.proxy(variant, &[server]).await?;
    let load = Plan::steady(stage.edge()).start();
    load.more(100).await;
    control.publish(Arc::new(spoilt(stage.state(1)?, wrong)));
    let deadline = Instant::now() + PATIENCE;
    while proxy.counter(REJECTED).await? == 0 {
        anyhow::ensure!(Instant::now() < deadline, "Envoy refuses nothing");
        sleep(POLL).await;
    }
    load.more(MEANWHILE).await;
    anyhow::ensure!(load.only(&first.name).is_some(), "answers obey a state that was refused");
    control.publish(last.published.clone());
    let converged = stage.converged(&load, last, PATIENCE).await?;
    let rejected = proxy.counter(REJECTED).await?;
    let tally = load.stop().await;
    proxy.stop().await;
    control.stop().await;
    Ok(Refused { tally, rejected, converged })
}

/// The state with its own cluster made wrong.
fn spoilt(state: &State, wrong: Wrong) -> Published {
    let mut views = BTreeMap::new();
    for (proxy, view) in state.published.views() {
        let clusters = view.of(ResourceKind::Cluster);
        let spoilt = clusters.iter().map(|served| match served.name.contains("turn-") {
            true => Arc::new(spoil(served, wrong)),
            false => Arc::clone(served),
        });
        let spoilt = Arc::new(Resources::new(spoilt));
        views.insert(proxy.to_owned(), Arc::new(View::clone(view).with(ResourceKind::Cluster, spoilt)));
    }
    Published::with_views(views)
}

fn spoil(served: &Served, wrong: Wrong) -> Served {
    let mut cluster = Cluster::decode(served.bytes.clone()).unwrap_or_default();
    match wrong {
        Wrong::Invalid => cluster.connect_timeout = Some(prost_types::Duration { seconds: -1, nanos: 0 }),
        Wrong::Impossible => cluster.eds_cluster_config = None,
    }
    Served::new(ResourceKind::Cluster, &served.name, "spoilt", cluster.encode_to_vec().into())
}
