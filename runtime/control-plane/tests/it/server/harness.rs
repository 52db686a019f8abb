//! A server on a port of its own, with hand-made resources.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use compiler::snapshot::ResourceKind;
use envoy::config::cluster::v3::Cluster;
use meshwright_control_plane::server::{self, Listen, Options, Running, Shared};
use meshwright_control_plane::{Metrics, Published, Registry, Served, View};
use prost::Message as _;
use tokio::sync::watch;
use tonic::transport::Channel;

use crate::client::{self, PATIENCE};

pub(super) struct Server {
    pub(super) running: Running,
    pub(super) publish: watch::Sender<Arc<Published>>,
    pub(super) metrics: Metrics,
    pub(super) registry: Registry,
}

pub(super) async fn start(published: Published) -> Server {
    start_with(local(), published).await
}

pub(super) async fn start_with(options: Options, published: Published) -> Server {
    let (publish, receiver) = watch::channel(Arc::new(published));
    let (metrics, registry) = (Metrics::default(), Registry::default());
    let shared = Shared { published: receiver, metrics: metrics.clone(), registry: registry.clone() };
    let running = server::start(options, shared).await.unwrap();
    Server { running, publish, metrics, registry }
}

/// On a port that the system chooses.
pub(super) fn local() -> Options {
    Options { listen: Listen::Tcp(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))), ..Options::default() }
}

impl Server {
    pub(super) fn address(&self) -> SocketAddr {
        self.running.address().unwrap()
    }

    pub(super) async fn channel(&self) -> Channel {
        client::channel(self.address()).await
    }

    pub(super) fn publish(&self, published: Published) {
        self.publish.send_replace(Arc::new(published));
    }

    /// The value of a series, as `/metrics` says it; 0 where there is none.
    pub(super) fn metric(&self, series: &str) -> f64 {
        self.registry.measure(&self.metrics);
        let wanted = format!("meshwright_control_plane_{series}");
        let text = self.metrics.text();
        let mut lines = text.lines().filter_map(|line| line.rsplit_once(' '));
        lines.find(|(name, _)| *name == wanted).map_or(0.0, |(_, value)| value.parse().unwrap())
    }
}

/// For each proxy clusters of these names, whose content is `version`.
pub(super) fn clusters(proxies: &[&str], names: &[&str], version: &str) -> Published {
    let view = View::new(names.iter().map(|name| (ResourceKind::Cluster, cluster(name, version))));
    let view = Arc::new(view);
    published(proxies.iter().map(|proxy| (*proxy, Arc::clone(&view))))
}

pub(super) fn published<'a>(views: impl IntoIterator<Item = (&'a str, Arc<View>)>) -> Published {
    let views: BTreeMap<String, Arc<View>> = views.into_iter().map(|(proxy, view)| (proxy.to_owned(), view)).collect();
    Published::with_views(views)
}

pub(super) fn cluster(name: &str, version: &str) -> Arc<Served> {
    let cluster = Cluster { name: name.into(), alt_stat_name: version.into(), ..Cluster::default() };
    Arc::new(Served::new(ResourceKind::Cluster, name, version, Bytes::from(cluster.encode_to_vec())))
}

/// Asks again and again until it is so.
#[track_caller]
pub(super) fn eventually(what: &'static str, mut is_so: impl FnMut() -> bool) -> impl Future<Output = ()> {
    let place = std::panic::Location::caller();
    async move {
        let until = Instant::now() + PATIENCE;
        while !is_so() {
            assert!(Instant::now() < until, "not in time: {what} ({place})");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

pub(super) async fn try_start(options: Options) -> Result<Running, server::StartError> {
    let (_, published) = watch::channel(Arc::default());
    server::start(options, Shared { published, metrics: Metrics::default(), registry: Registry::default() }).await
}
