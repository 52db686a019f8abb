//! A control plane inside of this process, told by hand what to publish.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use control_plane::server::{self, Listen, Options, Running, Shared, StartError};
use control_plane::{Metrics, Published, Registry};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

const LEFTOVERS_END_WITHIN: Duration = Duration::from_secs(5);
const LEFTOVERS_POLL: Duration = Duration::from_millis(10);

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
        let deadline = Instant::now() + LEFTOVERS_END_WITHIN;
        let running = loop {
            match server::start(options.clone(), shared.clone()).await {
                // The one before it is ending.
                Err(StartError::Listen { .. }) if Instant::now() < deadline => sleep(LEFTOVERS_POLL).await,
                started => break started.context("the control plane does not start")?,
            }
        };
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
