//! `meshwright sidecar` as a task runs it: all that it has is its environment.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::Context as _;
use local::{Client, EnvoyBinary, Request};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

use crate::proxy::module;

const HEALTH_PORT: u16 = 18002;
const READY_WITHIN: Duration = Duration::from_secs(60);
const ENDS_WITHIN: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(5);

/// A sidecar and its Envoy. Dropping it kills both.
#[derive(Debug)]
pub(crate) struct Sidecar {
    child: Child,
    health: SocketAddr,
    folder: TempDir,
}

impl Sidecar {
    /// `metadata` says which task it is in.
    pub(crate) fn start(
        program: &Path,
        metadata: &str,
        address: IpAddr,
        server: SocketAddr,
        envoy: &EnvoyBinary,
    ) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let (own, health) = (folder.path().join("own"), SocketAddr::new(address, HEALTH_PORT));
        // As its image has them.
        let filters = own.join(module().path());
        std::fs::create_dir_all(filters.parent().context("the module is in a folder")?)?;
        std::fs::write(filters, artifacts::MODULE)?;
        let mut command = Command::new(program);
        command.args(["sidecar", "--bind", &address.to_string(), "--", "--concurrency", "2", "--log-level", "warn"]);
        command.env("ECS_CONTAINER_METADATA_URI_V4", metadata).env("MESHWRIGHT_XDS", server.to_string());
        command.env("MESHWRIGHT_FOLDER", &own).env("MESHWRIGHT_HEALTH", health.to_string());
        command.env("ENVOY", envoy.path()).env_remove("STATE_DIRECTORY");
        let log = std::fs::File::create(folder.path().join("sidecar.log"))?;
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).kill_on_drop(true);
        let child = command.spawn().with_context(|| format!("cannot run {}", program.display()))?;
        Ok(Self { child, health, folder })
    }

    /// Returns when it says that it is ready.
    pub(crate) async fn ready(self) -> anyhow::Result<Self> {
        let deadline = Instant::now() + READY_WITHIN;
        while !self.is_ready().await {
            anyhow::ensure!(Instant::now() < deadline, "the sidecar does not become ready: {}", self.log());
            sleep(POLL).await;
        }
        Ok(self)
    }

    async fn is_ready(&self) -> bool {
        Client::new(self.health).send(&Request::get("/readyz")).await.is_ok_and(|answer| answer.status == 200)
    }

    /// As the agent does it.
    pub(crate) fn terminate(&self) -> anyhow::Result<()> {
        let pid = self.child.id().and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?)).context("it runs")?;
        Ok(kill_process(pid, Signal::TERM)?)
    }

    /// It is gone when this returns.
    pub(crate) async fn end(mut self) {
        // What ended by itself needs no signal.
        drop(self.terminate());
        if timeout(ENDS_WITHIN, self.child.wait()).await.is_err() {
            drop(self.child.kill().await);
        }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("sidecar.log")).unwrap_or_default()
    }
}
