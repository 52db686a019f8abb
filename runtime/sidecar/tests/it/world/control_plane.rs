//! A control plane of this process, which can be gone from one moment to the next.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use compiler::snapshot::ResourceKind;
use control_plane::published::Names;
use control_plane::server::{self, Listen, Running, Shared, TlsFiles};
use control_plane::{Metrics, Published, Registry, Resources, Served};
use tokio::sync::watch;

use super::{NODE, World};

const GRACE: Duration = Duration::from_secs(30);

pub(crate) struct ControlPlane {
    published: watch::Sender<Arc<Published>>,
    pub(crate) registry: Registry,
    running: Running,
}

pub(crate) type Tls = TlsFiles;

impl ControlPlane {
    pub(crate) async fn start(world: &World, address: SocketAddr, header: &str) -> Self {
        Self::start_with(world, address, header, None).await
    }

    pub(crate) async fn start_with(world: &World, address: SocketAddr, header: &str, tls: Option<Tls>) -> Self {
        Self::serving(Arc::new(Published::of(&world.meshes.snapshot(header))), address, tls).await
    }

    /// One that knows the task `prod/7f3c` as the node.
    pub(crate) async fn of_task(world: &World, address: SocketAddr, header: &str) -> Self {
        let aliases = [("prod/7f3c".to_owned(), NODE.to_owned())].into();
        let names = Names { aliases, ..Names::default() };
        Self::serving(Arc::new(Published::of(&world.meshes.snapshot(header)).named(names)), address, None).await
    }

    /// One that has kept what another one served.
    pub(crate) async fn serving(published: Arc<Published>, address: SocketAddr, tls: Option<Tls>) -> Self {
        let published = watch::Sender::new(published);
        let registry = Registry::default();
        let shared =
            Shared { published: published.subscribe(), metrics: Metrics::default(), registry: registry.clone() };
        let options = server::Options { listen: Listen::Tcp(address), tls, ..server::Options::default() };
        let running = server::start(options, shared).await.expect("a control plane");
        Self { published, registry, running }
    }

    /// What leaves the mesh is served for a while.
    pub(crate) fn publish(&self, world: &World, header: &str) {
        let before = self.published.borrow().clone();
        let views = Published::of(&world.meshes.snapshot(header)).mesh().clone();
        self.published.send_replace(Arc::new(before.followed_by(views, Duration::ZERO, GRACE)));
    }

    /// The same with a listener that no Envoy takes.
    pub(crate) fn publish_refused(&self) {
        let view = self.published.borrow().view(NODE).cloned().expect("the node is served");
        let nonsense =
            Arc::new(Served::new(ResourceKind::Listener, "nonsense", "1", Bytes::from_static(b"\x0a\x08nonsense")));
        let listeners = view.of(ResourceKind::Listener).iter().cloned().chain([nonsense]).collect::<Vec<_>>();
        let view = (*view).clone().with(ResourceKind::Listener, Arc::new(Resources::new(listeners)));
        let views = [(NODE.to_owned(), Arc::new(view))].into_iter().collect();
        self.published.send_replace(Arc::new(Published::with_views(views)));
    }

    /// Its connections end without a word.
    pub(crate) fn kill(self) -> Arc<Published> {
        drop(self.running);
        self.published.borrow().clone()
    }

    pub(crate) fn streams(&self) -> usize {
        self.registry.len()
    }
}
