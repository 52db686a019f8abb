//! One real Envoy that asks control planes what to do.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use compiler::WasmModule;
use compiler::lower::ADMIN_PORT;
use control_plane::Variant;
use local::process::{EnvoyRun, Supervised, supervise};
use local::{Admin, EnvoyBinary};
use tempfile::TempDir;
use tokio::sync::broadcast;
use tokio::time::{Instant, sleep};

use crate::bootstrap::bootstrap;
use crate::mesh::{Compiled, PORT};

const READY_WITHIN: Duration = Duration::from_secs(60);
const CONNECTED: &str = "control_plane.connected_state";
const POLL: Duration = Duration::from_millis(5);

/// Which Envoy, and how it asks.
#[derive(Clone, Debug)]
pub struct Setup {
    pub binary: EnvoyBinary,
    pub variant: Variant,
    /// `node.id`.
    pub id: String,
    pub address: IpAddr,
    pub servers: Vec<SocketAddr>,
}

/// A running Envoy. Dropping it kills it.
#[derive(Debug)]
pub struct Proxy {
    process: Supervised,
    admin: Admin,
    folder: TempDir,
}

/// Counters that must stay where they are while nothing is refused and nobody has to wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trouble {
    /// Resources that Envoy gave up waiting for.
    pub init_fetch_timeout: u64,
    pub update_rejected: u64,
}

/// How often what an Envoy is told changed something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    pub clusters: u64,
    pub listeners: u64,
    pub routes: u64,
}

impl Changes {
    #[must_use]
    pub fn since(self, before: Self) -> Self {
        let Self { clusters, listeners, routes } = before;
        Self {
            clusters: self.clusters.saturating_sub(clusters),
            listeners: self.listeners.saturating_sub(listeners),
            routes: self.routes.saturating_sub(routes),
        }
    }
}

impl Proxy {
    /// Returns when Envoy is ready, which takes a control plane.
    pub async fn start(setup: &Setup, compiled: &Compiled) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let module = folder.path().join(module().path());
        std::fs::create_dir_all(module.parent().context("the module is in a folder")?)?;
        std::fs::write(module, artifacts::MODULE)?;
        let config = folder.path().join("envoy.yaml");
        std::fs::write(&config, bootstrap(compiled, &setup.id, &setup.servers, setup.variant)?)?;
        let admin = Admin::new(SocketAddr::new(setup.address, ADMIN_PORT));
        let (events, _) = broadcast::channel(16);
        let run = EnvoyRun {
            name: setup.id.clone(),
            binary: setup.binary.clone(),
            config,
            folder: folder.path().to_owned(),
            log: folder.path().join("envoy.log"),
            access_log: folder.path().join("access.log"),
            log_level: "warning".to_owned(),
            workers: 2,
            admin,
            ready_within: READY_WITHIN,
        };
        Ok(Self { process: supervise(run, events).await?, admin, folder })
    }

    pub fn admin(&self) -> Admin {
        self.admin
    }

    /// Where it answers, if it is a gateway.
    pub fn traffic(&self) -> SocketAddr {
        SocketAddr::new(self.admin.address().ip(), PORT)
    }

    pub fn pid(&self) -> Option<u32> {
        self.process.pid()
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What Envoy itself logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("envoy.log")).unwrap_or_default()
    }

    pub async fn trouble(&self) -> anyhow::Result<Trouble> {
        let stats = self.stats().await?;
        Ok(Trouble {
            init_fetch_timeout: sum(&stats, |name| name.ends_with(".init_fetch_timeout")),
            update_rejected: sum(&stats, |name| {
                name.ends_with(".update_rejected") || name.ends_with(".config_reload_rejected")
            }),
        })
    }

    pub async fn changes(&self) -> anyhow::Result<Changes> {
        let stats = self.stats().await?;
        let one_of = |names: &'static [&'static str]| move |name: &str| names.contains(&name);
        Ok(Changes {
            clusters: sum(
                &stats,
                one_of(&[
                    "cluster_manager.cluster_added",
                    "cluster_manager.cluster_modified",
                    "cluster_manager.cluster_removed",
                ]),
            ),
            listeners: sum(
                &stats,
                one_of(&[
                    "listener_manager.listener_added",
                    "listener_manager.listener_modified",
                    "listener_manager.listener_removed",
                    "listener_manager.listener_in_place_updated",
                ]),
            ),
            routes: sum(&stats, |name| name.ends_with(".config_reload")),
        })
    }

    /// What was told and taken, of every type.
    pub async fn updates(&self) -> anyhow::Result<u64> {
        Ok(sum(&self.stats().await?, |name| name.ends_with(".update_success")))
    }

    /// Waits until it has a stream to a control plane.
    pub async fn is_connected(&self, within: Duration) -> anyhow::Result<()> {
        let deadline = Instant::now() + within;
        while self.counter(CONNECTED).await? == 0 {
            anyhow::ensure!(Instant::now() < deadline, "Envoy has no stream: {}", self.log());
            sleep(POLL).await;
        }
        Ok(())
    }

    /// A counter or a gauge.
    pub async fn counter(&self, name: &str) -> anyhow::Result<u64> {
        Ok(self.admin.counter(name).await?)
    }

    async fn stats(&self) -> anyhow::Result<Vec<(String, u64)>> {
        let text = self.admin.get("/stats").await?;
        let line = |line: &str| {
            let (name, value) = line.split_once(": ")?;
            Some((name.to_owned(), value.parse().ok()?))
        };
        Ok(text.text().lines().filter_map(line).collect())
    }

    pub async fn stop(self) {
        self.process.stop(Duration::from_secs(2)).await;
    }
}

/// Our filters, as every Envoy of a trial finds them.
pub fn module() -> WasmModule {
    WasmModule { sha256: artifacts::MODULE_SHA256.to_owned(), folder: "filters".to_owned() }
}

fn sum(stats: &[(String, u64)], counts: impl Fn(&str) -> bool) -> u64 {
    stats.iter().filter(|(name, _)| counts(name)).map(|(_, value)| value).sum()
}
