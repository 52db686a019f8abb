//! Everything beside Envoy, from the start to the end.

use std::ffi::OsString;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use local::Admin;
use local::launch::Tie;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, watch};

use crate::health::{Health, HealthError, Page};
use crate::keep::{Keeper, Record, load};
use crate::last_good::LastGood;
use crate::link::{ControlPlanes, Link};
use crate::metrics::Metrics;
use crate::plan::ENVOY;
use crate::relay::{Door, DoorError, Relay};
use crate::supervise::{Budget, Ended, EnvoyPlan, Life, Order, supervise};

#[derive(Clone, Debug)]
pub struct Options {
    /// What `meshwright bootstrap` wrote, and Envoy's working directory.
    pub folder: PathBuf,
    /// The proxy's name in the mesh.
    pub proxy: String,
    /// Tells this task from others of the same proxy. Empty: nothing does.
    pub task: String,
    pub control_planes: ControlPlanes,
    /// Where Envoy asks: an address of loopback, or a path, relative to the folder.
    pub socket: String,
    /// The file that keeps what Envoy acknowledged; none: it is not kept.
    pub state: Option<PathBuf>,
    /// What is served before anything was acknowledged.
    pub bundle: PathBuf,
    pub health: SocketAddr,
    pub admin: SocketAddr,
    pub envoy: PathBuf,
    /// Further arguments of Envoy.
    pub arguments: Vec<OsString>,
    pub tie: Tie,
    pub drain: Duration,
    pub budget: Budget,
}

#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error(transparent)]
    Door(#[from] DoorError),
    #[error(transparent)]
    Health(#[from] HealthError),
    #[error("cannot listen for signals: {0}")]
    Signals(io::Error),
}

/// Until a signal, or until Envoy died too often.
pub async fn run(options: Options) -> Result<Ended, RunError> {
    // Before Envoy starts, so that no signal finds one that nobody stops.
    let signals = Signals::listen().map_err(RunError::Signals)?;
    let metrics = Arc::new(Metrics::new());
    let record = Record::new(last_good(&options), Arc::clone(&metrics));
    let keeper = options.state.clone().map(|path| Keeper::start(&record, path));
    let link = Link::new(options.control_planes.clone(), Arc::clone(&metrics));
    let link_state = link.state();
    let door = Door::at(&options.socket, &options.folder).await?;
    let relay = Relay::start(&options.proxy, door, link, record.clone(), Arc::clone(&metrics));

    let admin = Admin::new(options.admin);
    let (life_sender, life) = watch::channel(Life::Down);
    let health = Health { admin, life, mode: relay.mode(), link: link_state, record, metrics: Arc::clone(&metrics) };
    let page = Page::start(options.health, health).await?;

    let (orders, ordered) = mpsc::channel(4);
    let envoy = tokio::spawn(supervise(envoy_plan(&options, admin), ordered, life_sender, metrics));
    let ended = until_it_ends(envoy, signals, &orders, &relay).await;

    relay.stop().await;
    drop(page);
    if let Some(keeper) = keeper {
        keeper.finish().await;
    }
    Ok(ended)
}

async fn until_it_ends(
    mut envoy: tokio::task::JoinHandle<Ended>,
    mut signals: Signals,
    orders: &mpsc::Sender<Order>,
    relay: &Relay,
) -> Ended {
    loop {
        tokio::select! {
            ended = &mut envoy => {
                return ended.unwrap_or_else(|error| Ended::CannotStart(io::Error::other(error)));
            }
            asked = signals.next() => match asked {
                Asked::Stop => drop(orders.try_send(Order::Stop)),
                Asked::Renew => {
                    tracing::info!("certificates are read anew");
                    relay.renew();
                }
            },
        }
    }
}

/// What was acknowledged before, else the bundle. What is of no use is told and left alone.
fn last_good(options: &Options) -> Option<LastGood> {
    let files = options.state.iter().chain([&options.bundle]);
    for path in files {
        match load(path, Some(&options.proxy)) {
            Ok(Some(state)) => {
                tracing::info!(path = %path.display(), resources = state.len(), "there is a last good state");
                return Some(state);
            }
            Ok(None) => {}
            Err(error) => tracing::warn!(%error, "a last good state is left out"),
        }
    }
    tracing::warn!("there is no last good state: without a control plane, Envoy will have no configuration");
    None
}

fn envoy_plan(options: &Options, admin: Admin) -> EnvoyPlan {
    let node = match options.task.as_str() {
        "" => options.proxy.clone(),
        task => format!("{}~{task}", options.proxy),
    };
    let drain = options.drain.as_secs().max(1).to_string();
    let ours = [
        "-c",
        ENVOY,
        "--service-node",
        &node,
        "--disable-hot-restart",
        // Whoever is connected is told to leave at once, and has all of the time for it.
        "--drain-strategy",
        "immediate",
        "--drain-time-s",
        &drain,
    ];
    EnvoyPlan {
        path: options.envoy.clone(),
        arguments: ours.into_iter().map(OsString::from).chain(options.arguments.iter().cloned()).collect(),
        folder: options.folder.clone(),
        tie: options.tie.clone(),
        admin,
        drain: options.drain,
        budget: options.budget.clone(),
    }
}

enum Asked {
    Stop,
    Renew,
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl Signals {
    fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) -> Asked {
        tokio::select! {
            _ = self.terminate.recv() => Asked::Stop,
            _ = self.interrupt.recv() => Asked::Stop,
            _ = self.hang_up.recv() => Asked::Renew,
        }
    }
}
