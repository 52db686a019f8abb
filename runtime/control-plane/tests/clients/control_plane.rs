//! A real control plane of the test's own, on loopback.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use meshwright_control_plane::Published;
use meshwright_control_plane::metrics::Metrics;
use meshwright_control_plane::registry::{self, Registry, StreamStatus};
use meshwright_control_plane::server::{self, Listen, Options, Running, Shared};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use crate::client::PATIENCE;

/// What can be served.
pub(crate) trait State {
    fn published(&self) -> Arc<Published>;
}

/// Serves until it is dropped; then every connection breaks at once.
#[derive(Debug)]
pub(crate) struct ControlPlane {
    running: Running,
    published: watch::Sender<Arc<Published>>,
    metrics: Metrics,
    registry: Registry,
}

impl ControlPlane {
    pub(crate) async fn start(state: &impl State) -> Self {
        Self::start_with(Self::options(), state).await
    }

    pub(crate) async fn start_at(address: SocketAddr, state: &impl State) -> Self {
        Self::start_with(Options { listen: Listen::Tcp(address), ..Self::options() }, state).await
    }

    pub(crate) async fn start_with(options: Options, state: &impl State) -> Self {
        let (published, receiver) = watch::channel(state.published());
        let metrics = Metrics::default();
        let registry = Registry::default();
        let shared = Shared { published: receiver, metrics: metrics.clone(), registry: registry.clone() };
        let running = server::start(options, shared).await.expect("a server on loopback starts");
        Self { running, published, metrics, registry }
    }

    /// On any port.
    pub(crate) fn options() -> Options {
        Options { listen: Listen::Tcp(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))), ..Options::default() }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.running.address().expect("it listens on TCP")
    }

    pub(crate) fn tell(&self, state: &impl State) {
        self.published.send_replace(state.published());
    }

    /// How many responses clients refused.
    pub(crate) fn refusals(&self) -> u64 {
        self.count("meshwright_control_plane_refusals_total")
    }

    /// How many responses were sent.
    pub(crate) fn pushes(&self) -> u64 {
        self.count("meshwright_control_plane_pushes_total")
    }

    /// A client asked for a node that its certificate does not stand for.
    pub(crate) async fn until_turned_away(&self) {
        let ended = r#"meshwright_control_plane_streams_ended_total{reason="identity"}"#;
        self.until("a client is turned away", || self.count(ended) > 0).await;
    }

    pub(crate) fn has_clients(&self) -> bool {
        !self.registry.is_empty()
    }

    /// What pages say of clients that refuse something.
    pub(crate) fn shown_errors(&self) -> Vec<String> {
        self.registry.streams().into_iter().flat_map(|stream| stream.types).filter_map(|it| it.error).collect()
    }

    pub(crate) async fn until_refused(&self) {
        self.until("a client refuses", || self.refusals() > 0).await;
    }

    pub(crate) async fn until_somebody_asks(&self) {
        let asks = || self.registry.streams().iter().any(|stream| stream.types.iter().any(|it| it.subscribed > 0));
        self.until("a client asks", asks).await;
    }

    /// All clients have what they were told last, and refuse nothing.
    pub(crate) async fn until_settled(&self) {
        let settled = |stream: &StreamStatus| {
            stream.state == registry::State::Settled
                && stream.types.iter().all(|it| it.refused.is_none() && it.error.is_none())
        };
        self.until("clients have everything", || self.registry.streams().iter().all(settled)).await;
    }

    async fn until(&self, what: &str, is_so: impl Fn() -> bool) {
        let started = Instant::now();
        while !is_so() {
            assert!(started.elapsed() < PATIENCE, "waiting until {what}; metrics:\n{}", self.metrics.text());
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// The sum over all labels.
    fn count(&self, name: &str) -> u64 {
        let text = self.metrics.text();
        let lines = text.lines().filter(|line| line.starts_with(name));
        lines.map(|line| line.rsplit(' ').next().and_then(|value| value.parse().ok()).unwrap_or(0)).sum()
    }
}
