//! What a task's health check asks: whether we live, and whether Envoy has a configuration that it serves.

mod page;

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use local::Admin;
use serde::Deserialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::sync::watch;
use tokio::time::timeout;

pub use page::{HealthError, Page, ask};

use crate::keep::Record;
use crate::link::State as LinkState;
use crate::metrics::Metrics;
use crate::relay::Mode;
use crate::supervise::Life;

const ASK_WITHIN: Duration = Duration::from_secs(1);

/// Everything that readiness depends on.
pub(crate) struct Health {
    pub admin: Admin,
    pub life: watch::Receiver<Life>,
    pub mode: watch::Receiver<Mode>,
    pub link: watch::Receiver<LinkState>,
    pub record: Record,
    pub metrics: Arc<Metrics>,
}

/// Whether requests should come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Readiness {
    Ready,
    /// Ready with what was good before.
    Stale(String),
    NotReady(String),
}

impl Health {
    pub(crate) async fn readiness(&self) -> Readiness {
        let readiness = self.judge().await;
        self.metrics.ready.set(i64::from(readiness.is_ready()));
        readiness
    }

    async fn judge(&self) -> Readiness {
        match *self.life.borrow() {
            Life::Draining => return Readiness::NotReady("draining".to_owned()),
            Life::Down => return Readiness::NotReady("Envoy is down".to_owned()),
            Life::Running { .. } => {}
        }
        match timeout(ASK_WITHIN, self.envoy()).await {
            Ok(Ok(())) => {}
            Ok(Err(reason)) => return Readiness::NotReady(reason),
            Err(_) => return Readiness::NotReady("Envoy's administration does not answer".to_owned()),
        }
        match *self.mode.borrow() {
            Mode::LastGood => Readiness::Stale(self.last_good_from()),
            Mode::Waiting if matches!(&*self.link.borrow(), LinkState::Down { .. }) => {
                Readiness::Stale("no control plane answers, and Envoy keeps what it has".to_owned())
            }
            Mode::Idle | Mode::Waiting | Mode::ControlPlane => Readiness::Ready,
        }
    }

    /// An Envoy that was told nothing says that it is live, too.
    async fn envoy(&self) -> Result<(), String> {
        if !self.admin.is_ready().await {
            return Err("Envoy is not initialised".to_owned());
        }
        let listeners = self.admin.get("/listeners?format=json").await.map_err(|error| error.to_string())?;
        let listeners: Listeners = serde_json::from_slice(&listeners.body).map_err(|error| error.to_string())?;
        let serves = |listener: &Listener| listener.name != crate::METRICS_LISTENER;
        match listeners.listener_statuses.iter().any(serves) {
            true => Ok(()),
            false => Err(format!("Envoy has no configuration: {}", self.who_should_tell())),
        }
    }

    fn who_should_tell(&self) -> String {
        match &*self.link.borrow() {
            LinkState::Down { error } if self.record.current().is_none() => {
                format!("there is no last good state, and no control plane answers: {error}")
            }
            LinkState::Up(up) => format!("{} told it nothing yet", up.server),
            LinkState::Down { .. } | LinkState::Trying => "nobody told it any yet".to_owned(),
        }
    }

    fn last_good_from(&self) -> String {
        match self.record.current().and_then(|state| state.acknowledged) {
            Some(seconds) => format!("last good from {}", moment(seconds)),
            None => "last good from the bundle".to_owned(),
        }
    }

    /// Metrics that are looked at only now.
    pub(crate) fn metrics(&self) -> String {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        let acknowledged = self.record.current().and_then(|state| state.acknowledged);
        #[expect(clippy::cast_precision_loss, reason = "seconds since 1970 are far below 2^53")]
        let age = acknowledged.map_or(0.0, |at| (now - at as f64).max(0.0));
        self.metrics.record_age.set(age);
        self.metrics.text()
    }
}

impl Readiness {
    pub(crate) fn is_ready(&self) -> bool {
        !matches!(self, Self::NotReady(_))
    }
}

impl fmt::Display for Readiness {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ready => formatter.write_str("ready"),
            Self::Stale(since) => write!(formatter, "ready, stale: {since}"),
            Self::NotReady(reason) => write!(formatter, "not ready: {reason}"),
        }
    }
}

fn moment(seconds: u64) -> String {
    let moment = i64::try_from(seconds).ok().and_then(|it| OffsetDateTime::from_unix_timestamp(it).ok());
    moment.and_then(|it| it.format(&Rfc3339).ok()).unwrap_or_else(|| format!("second {seconds}"))
}

#[derive(Deserialize)]
struct Listeners {
    #[serde(default)]
    listener_statuses: Vec<Listener>,
}

#[derive(Deserialize)]
struct Listener {
    #[serde(default)]
    name: String,
}

/// Where the page is found, unless said otherwise.
pub const DEFAULT_ADDRESS: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 9902);
