//! The connection to a control plane: to one of several, and to the next at once when it dies.

mod back_off;
mod tls;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until};
use tonic::transport::{Channel, Endpoint};

use crate::metrics::Metrics;
use back_off::BackOff;
pub use tls::{Tls, TlsError};

const CONNECT_WITHIN: Duration = Duration::from_secs(1);
/// A control plane whose machine is gone says nothing: after both it counts as dead.
const KEEPALIVE: Duration = Duration::from_secs(30);
const KEEPALIVE_WITHIN: Duration = Duration::from_secs(5);
/// How often the files of certificates are looked at.
const FILES_POLL: Duration = Duration::from_secs(30);

/// Where control planes are, and how they are spoken with.
#[derive(Clone, Debug, Default)]
pub struct ControlPlanes {
    /// `host:port` each.
    pub servers: Vec<String>,
    pub tls: Option<Tls>,
}

/// How it stands.
#[derive(Clone, Debug)]
pub(crate) enum State {
    /// Not every control plane was tried yet.
    Trying,
    Up(Up),
    /// None of them can be reached now.
    Down {
        error: String,
    },
}

#[derive(Clone, Debug)]
pub(crate) struct Up {
    pub channel: Channel,
    pub server: Arc<str>,
    /// Counts connections.
    pub generation: u64,
}

/// What streams tell of a connection.
#[derive(Debug)]
pub(crate) enum Report {
    /// The control plane tells the proxy what it is.
    Answered { generation: u64 },
    /// It does not, or does no longer.
    Failed { generation: u64, error: String },
}

/// Keeps a connection while it lives.
pub(crate) struct Link {
    state: watch::Receiver<State>,
    reports: mpsc::Sender<Report>,
    renew: mpsc::Sender<()>,
    task: JoinHandle<()>,
}

impl Link {
    pub(crate) fn new(control_planes: ControlPlanes, metrics: Arc<Metrics>) -> Self {
        let (state_sender, state) = watch::channel(State::Trying);
        // A report that finds no room is one of many that say the same.
        let (reports, reported) = mpsc::channel(64);
        let (renew, renewed) = mpsc::channel(1);
        let keeper = Keeper { control_planes, state: state_sender, reported, renewed, metrics, told: String::new() };
        Self { state, reports, renew, task: tokio::spawn(keeper.run()) }
    }

    pub(crate) fn state(&self) -> watch::Receiver<State> {
        self.state.clone()
    }

    pub(crate) fn report(&self, report: Report) {
        drop(self.reports.try_send(report));
    }

    /// Connects anew, with certificates as their files now are.
    pub(crate) fn renew(&self) {
        let _ = self.renew.try_send(());
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Keeper {
    control_planes: ControlPlanes,
    state: watch::Sender<State>,
    reported: mpsc::Receiver<Report>,
    renewed: mpsc::Receiver<()>,
    metrics: Arc<Metrics>,
    /// Why no control plane answered when that was told last.
    told: String,
}

impl Keeper {
    async fn run(mut self) {
        let servers: Vec<Arc<str>> = self.control_planes.servers.iter().map(|server| server.as_str().into()).collect();
        if servers.is_empty() {
            self.state.send_replace(State::Down { error: "no control plane is named".to_owned() });
            // The state stays what it is: an end would be that of the sidecar.
            return std::future::pending().await;
        }
        // Tasks that start together do not all go to the first.
        let mut at = fastrand::usize(..servers.len());
        let mut generation = 0;
        // Every round tries all of them, then there is a pause.
        let (mut tried, mut back_off) = (0, BackOff::default());
        loop {
            let Some(server) = servers.get(at % servers.len()) else { return };
            generation += 1;
            match self.use_while_it_lives(server, generation).await {
                Ended::Lost(error) => {
                    tracing::warn!(%server, %error, "the control plane is lost");
                    (tried, back_off) = (0, BackOff::default());
                    self.state.send_replace(State::Trying);
                }
                Ended::Useless(error) => {
                    self.metrics.connect_failures.inc();
                    tried += 1;
                    if tried >= servers.len() {
                        tried = 0;
                        self.down(server, error);
                        tokio::select! {
                            () = sleep(back_off.next()) => {}
                            renewed = self.renewed.recv() => if renewed.is_none() { return },
                        }
                    } else if matches!(&*self.state.borrow(), State::Up(_)) {
                        self.state.send_replace(State::Trying);
                    }
                }
                Ended::Renewed => {
                    // The same control plane, which is as good as before.
                    at = at.wrapping_sub(1);
                    self.state.send_replace(State::Trying);
                }
                Ended::NobodyListens => return,
            }
            at = at.wrapping_add(1);
        }
    }

    async fn use_while_it_lives(&mut self, server: &Arc<str>, generation: u64) -> Ended {
        let (channel, files) = match self.connect(server).await {
            Ok(connected) => connected,
            Err(error) => return Ended::Useless(error),
        };
        self.metrics.upstream_connected.set(1);
        self.state.send_replace(State::Up(Up { channel, server: Arc::clone(server), generation }));
        let ended = self.watch(generation, files).await;
        self.metrics.upstream_connected.set(0);
        ended
    }

    /// Told once for each reason.
    fn down(&mut self, server: &str, error: String) {
        if error != self.told {
            tracing::warn!(control_plane = server, %error, "no control plane answers");
            self.told.clone_from(&error);
        }
        self.state.send_replace(State::Down { error });
    }

    async fn connect(&self, server: &str) -> Result<(Channel, Option<tls::Digest>), String> {
        let scheme = if self.control_planes.tls.is_some() { "https" } else { "http" };
        let mut endpoint = Endpoint::from_shared(format!("{scheme}://{server}"))
            .map_err(|_| format!("`{server}` is no address"))?
            .connect_timeout(CONNECT_WITHIN)
            .tcp_nodelay(true)
            .http2_keep_alive_interval(KEEPALIVE)
            .keep_alive_timeout(KEEPALIVE_WITHIN)
            .keep_alive_while_idle(true);
        let mut files = None;
        if let Some(tls) = &self.control_planes.tls {
            let (config, digest) = tls.read(server).await.map_err(|error| error.to_string())?;
            endpoint = endpoint.tls_config(config).map_err(|error| told(&error))?;
            files = Some(digest);
        }
        // The handshakes of TLS and HTTP/2 have no time limit of their own.
        match tokio::time::timeout(2 * CONNECT_WITHIN, endpoint.connect()).await {
            Ok(Ok(channel)) => Ok((channel, files)),
            Ok(Err(error)) => Err(told(&error)),
            Err(_) => Err("it does not answer".to_owned()),
        }
    }

    /// Until the connection is of no use any more.
    async fn watch(&mut self, generation: u64, files: Option<tls::Digest>) -> Ended {
        let mut answered = false;
        let mut look = Instant::now() + FILES_POLL;
        loop {
            tokio::select! {
                report = self.reported.recv() => match report {
                    Some(Report::Answered { generation: of }) if of == generation => {
                        answered = true;
                        self.told.clear();
                    }
                    Some(Report::Failed { generation: of, error }) if of == generation => {
                        return if answered { Ended::Lost(error) } else { Ended::Useless(error) };
                    }
                    Some(_) => {}
                    None => return Ended::NobodyListens,
                },
                renewed = self.renewed.recv() => match renewed {
                    Some(()) => return Ended::Renewed,
                    None => return Ended::NobodyListens,
                },
                () = sleep_until(look), if files.is_some() => {
                    look = Instant::now() + FILES_POLL;
                    if let Some(tls) = &self.control_planes.tls
                        && tls.digest().await.is_ok_and(|now| Some(now) != files)
                    {
                        tracing::info!("certificates were changed: connecting anew");
                        return Ended::Renewed;
                    }
                }
            }
        }
    }
}

enum Ended {
    /// It told the proxy what it is, and does no longer.
    Lost(String),
    /// It never did.
    Useless(String),
    Renewed,
    NobodyListens,
}

/// With what is behind it, which is what the user needs.
fn told(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(behind) = source {
        let behind_text = behind.to_string();
        if !text.contains(&behind_text) {
            text.push_str(": ");
            text.push_str(&behind_text);
        }
        source = behind.source();
    }
    text
}
