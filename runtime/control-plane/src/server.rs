//! The xDS server: connections and streams around the sans-io machine, each bounded in what it may hold and how long it
//! may take.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
use tonic_health::pb::health_server::HealthServer;
use tonic_health::server::{HealthReporter, HealthService};

use crate::Published;
use crate::identity::Certificate;
use crate::limits;
use crate::metrics::Metrics;
use crate::published::Names;
use crate::registry::Registry;

pub use listener::StartError;
pub use machine::{Machine, NewMachine};
pub use options::{Listen, NotAllowed, NotAnAddress, Options, TlsFiles};
pub use tls::TlsError;

mod connection;
mod conversation;
mod hello;
mod inspection;
mod listener;
mod machine;
mod options;
mod requests;
mod responses;
mod route;
mod tls;
mod turns;

/// What a server shares with the rest of the control plane.
#[derive(Clone, Debug)]
pub struct Shared {
    pub published: watch::Receiver<Arc<Published>>,
    pub metrics: Metrics,
    pub registry: Registry,
}

/// A server that answers until it is dropped or [`Running::stop`] is called.
#[derive(Debug)]
pub struct Running {
    address: Option<SocketAddr>,
    server: Arc<Server>,
    accepting: JoinHandle<()>,
    background: Vec<JoinHandle<()>>,
}

/// What all connections share.
#[derive(Debug)]
struct Server {
    options: Options,
    shared: Shared,
    tls: Option<tls::Tls>,
    health: HealthServer<HealthService>,
    /// What is published, and since when.
    current: watch::Sender<Current>,
    /// Whether clients are to go elsewhere.
    stopping: watch::Sender<bool>,
    /// Streams that may be opened.
    places: Arc<Semaphore>,
    connections: Arc<Semaphore>,
    /// Streams that may be told of a change at a time.
    pushes: Arc<Semaphore>,
    /// Answers of the client status service that are made at a time.
    inspections: Semaphore,
    turns: turns::Turns,
    bounds: requests::Bounds,
    began: Instant,
}

#[derive(Clone, Debug)]
struct Current {
    published: Arc<Published>,
    at: std::time::Instant,
}

/// Listens, and serves whatever `shared.published` says, now and later. Needs a tokio runtime.
///
/// A proxy that is not in what is published is told nothing at all (and keeps what it has) until it is.
pub async fn start(options: Options, shared: Shared) -> Result<Running, StartError> {
    options.validate()?;
    limits::raise_open_files();
    let tls = options.tls.clone().map(|files| tls::Tls::start(files, shared.metrics.clone())).transpose()?;
    let listener = listener::Listener::bind(&options.listen).await?;
    let address = listener.address();
    if options.open_to_strangers().is_some() {
        tracing::warn!(
            listen = %options.listen,
            "whoever can connect is told the configuration of any proxy, secrets included (`--insecure`)"
        );
    }
    let reporter = HealthReporter::new();
    let health = HealthServer::new(HealthService::from_health_reporter(reporter.clone()));
    let bounds = options.limits.clone();
    let current = Current { published: shared.published.borrow().clone(), at: std::time::Instant::now() };
    let server = Arc::new(Server {
        tls,
        health,
        current: watch::Sender::new(current),
        stopping: watch::Sender::new(false),
        places: Arc::new(semaphore(bounds.streams)),
        connections: Arc::new(semaphore(bounds.connections.min(limits::room_for_connections()))),
        pushes: Arc::new(semaphore(bounds.pushes)),
        inspections: Semaphore::new(2),
        turns: turns::Turns::new(bounds.streams_per_second, bounds.turn),
        bounds: requests::Bounds::new(&bounds),
        began: Instant::now(),
        options,
        shared,
    });
    let background =
        vec![tokio::spawn(server.turns.clone().refill()), tokio::spawn(follow(Arc::clone(&server), reporter))];
    let accepting = tokio::spawn(listener::accept(Arc::clone(&server), listener));
    Ok(Running { address, server, accepting, background })
}

impl Server {
    /// Whether the holder of the certificate may ask for a proxy.
    fn stands_for(&self, certificate: &Certificate, proxy: &str, names: &Names) -> bool {
        let identity = &self.options.identity;
        match names.discovered.contains(proxy) {
            true => identity.allows_discovered(certificate, proxy),
            false => identity.allows(certificate, proxy),
        }
    }
}

/// As many as there can be, where more are wanted.
fn semaphore(permits: usize) -> Semaphore {
    Semaphore::new(permits.min(Semaphore::MAX_PERMITS))
}

impl Running {
    /// Where it listens, with the port that was chosen for port 0. Nothing for a unix socket.
    pub fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// Accepts nobody any more, tells clients to go elsewhere, and ends their streams one after the other within
    /// `Options::drain`.
    pub async fn stop(mut self) {
        self.server.stopping.send_replace(true);
        let drain = self.server.options.drain + Duration::from_secs(3);
        let _ = timeout(drain, &mut self.accepting).await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Connections are the accepting task's, and end with it.
        self.accepting.abort();
        for task in &self.background {
            task.abort();
        }
    }
}

/// Passes on what is published with the time at which it was, and says that there is something to serve.
async fn follow(server: Arc<Server>, reporter: HealthReporter) {
    let mut published = server.shared.published.clone();
    let mut stopping = server.stopping.subscribe();
    loop {
        let current = published.borrow_and_update().clone();
        let serving = current.views().next().is_some() && !*stopping.borrow_and_update();
        server.shared.metrics.published(&current.digest);
        server.current.send_replace(Current { published: current, at: std::time::Instant::now() });
        let status =
            if serving { tonic_health::ServingStatus::Serving } else { tonic_health::ServingStatus::NotServing };
        for service in ["", route::ADS] {
            reporter.set_service_status(service, status).await;
        }
        tokio::select! {
            changed = published.changed() => {
                if changed.is_err() {
                    // Nobody publishes any more: what is served stays.
                    let _ = stopping.wait_for(|stopping| *stopping).await;
                }
            }
            changed = stopping.changed() => {
                if changed.is_err() {
                    return;
                }
            }
        }
        if *stopping.borrow() {
            for service in ["", route::ADS] {
                reporter.set_service_status(service, tonic_health::ServingStatus::NotServing).await;
            }
            return;
        }
    }
}
