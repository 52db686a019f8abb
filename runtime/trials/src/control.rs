//! A control plane inside of this process, told by hand what to publish.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context as _;
use control_plane::server::{self, Listen, Options, Running, Shared};
use control_plane::{Metrics, Published, Registry};
use tokio::sync::watch;

/// A server. Dropping it resets its connections, as a crash would; [`Control::stop`] is the orderly end.
#[derive(Debug)]
pub struct Control {
    published: watch::Sender<Arc<Published>>,
    running: Running,
    pub metrics: Metrics,
    pub registry: Registry,
}

impl Control {
    pub async fn start(address: SocketAddr, published: Arc<Published>) -> anyhow::Result<Self> {
        Self::with(Options { listen: Listen::Tcp(address), ..Options::default() }, published).await
    }

    pub async fn with(options: Options, published: Arc<Published>) -> anyhow::Result<Self> {
        let (published, receiver) = watch::channel(published);
        let (metrics, registry) = (Metrics::default(), Registry::default());
        let shared = Shared { published: receiver, metrics: metrics.clone(), registry: registry.clone() };
        let running = server::start(options, shared).await.context("the control plane does not start")?;
        Ok(Self { published, running, metrics, registry })
    }

    pub fn publish(&self, published: Arc<Published>) {
        self.published.send_replace(published);
    }

    pub fn address(&self) -> Option<SocketAddr> {
        self.running.address()
    }

    pub async fn stop(self) {
        self.running.stop().await;
    }
}
