//! F2: only the cluster changes, its endpoints stay: without being told them again Envoy would wait for 15 s.

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
use crate::proxy::Trouble;
use crate::stage::Stage;

const POLL: Duration = Duration::from_millis(2);
const PATIENCE: Duration = Duration::from_secs(30);
const WARMING: &str = "cluster_manager.warming_clusters";
const MODIFIED: &str = "cluster_manager.cluster_modified";

#[derive(Clone, Debug)]
pub struct Changed {
    pub tally: Tally,
    /// From the change to an Envoy that has it, all clusters warm.
    pub taken: Duration,
    pub trouble: Trouble,
}

pub async fn change_of_a_cluster(binary: &EnvoyBinary, variant: Variant) -> anyhow::Result<Changed> {
    let stage = Stage::set(binary, 1).await?;
    let (server, first) = (stage.server(0)?, stage.state(0)?);
    let control = Control::start(server, first.published.clone()).await?;
    let proxy = stage.proxy(variant, &[server]).await?;
    let load = Plan::steady(stage.edge()).start();
    load.more(100).await;
    let before = proxy.counter(MODIFIED).await?;
    let mut views = BTreeMap::new();
    let mut clusters = 0;
    for (proxy, view) in first.published.views() {
        let changed: Vec<Arc<Served>> = view.of(ResourceKind::Cluster).iter().map(|it| Arc::new(patient(it))).collect();
        clusters = changed.iter().filter(|served| served.endpoints.is_some()).count();
        let changed = Arc::new(Resources::new(changed));
        views.insert(proxy.to_owned(), Arc::new(View::clone(view).with(ResourceKind::Cluster, changed)));
    }
    let published = Instant::now();
    control.publish(Arc::new(Published::with_views(views)));
    let wanted = before + u64::try_from(clusters)?;
    while proxy.counter(MODIFIED).await? < wanted || proxy.counter(WARMING).await? > 0 {
        anyhow::ensure!(published.elapsed() < PATIENCE, "clusters are still warming");
        sleep(POLL).await;
    }
    let taken = published.elapsed();
    load.more(200).await;
    let trouble = proxy.trouble().await?;
    let tally = load.stop().await;
    proxy.stop().await;
    control.stop().await;
    Ok(Changed { tally, taken, trouble })
}

/// The cluster with another time to connect.
fn patient(served: &Served) -> Served {
    let mut cluster = Cluster::decode(served.bytes.clone()).unwrap_or_default();
    cluster.connect_timeout = Some(prost_types::Duration { seconds: 7, nanos: 0 });
    Served::new(ResourceKind::Cluster, &served.name, &format!("{}+", served.version), cluster.encode_to_vec().into())
}
