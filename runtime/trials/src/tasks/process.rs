//! What runs in a task: its application, and beside it, where it has one, a real Envoy that asks the control plane.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use anyhow::Context as _;
use control_plane::Variant;
use local::EnvoyBinary;
use tokio::task::JoinSet;

use crate::backend::Backend;
use crate::mesh::{Compiled, compile};
use crate::proxy::{Proxy, Setup, module};
use crate::tasks::sidecar::Sidecar;

/// What to run, and where.
#[derive(Clone, Debug)]
pub struct Plan {
    /// `FAMILY/REVISION`.
    pub revision: String,
    /// `CLUSTER/TASK-ID`.
    pub id: String,
    pub address: IpAddr,
    /// Where the application answers.
    pub ports: Vec<u16>,
    /// Where its Envoy asks; none where no Envoy is beside it.
    pub asks: Option<SocketAddr>,
    /// `meshwright`, which starts the Envoy as a task's sidecar, and where that is told which task it is in. Else the Envoy
    /// asks by itself, as the sidecar would.
    pub sidecar: Option<(PathBuf, String)>,
}

/// Both processes of a task. Dropping it kills them.
#[derive(Debug)]
pub struct Processes {
    /// Where applications answer that did not start yet.
    waiting: Vec<SocketAddr>,
    who: String,
    applications: Vec<Backend>,
    /// An Envoy that becomes ready when it was told what it is.
    starting: JoinSet<anyhow::Result<Beside>>,
    beside: Option<Beside>,
}

/// What is beside the application.
#[derive(Debug)]
enum Beside {
    Envoy(Proxy),
    Sidecar(Sidecar),
}

impl Processes {
    /// Its Envoy is on its way; the application waits for it, and answers at once where there is none.
    pub async fn start(plan: &Plan, who: &str, binary: &EnvoyBinary) -> anyhow::Result<Self> {
        let waiting = plan.ports.iter().map(|port| SocketAddr::new(plan.address, *port)).collect();
        let (applications, starting) = (Vec::new(), JoinSet::new());
        let mut processes = Self { waiting, who: who.to_owned(), applications, starting, beside: None };
        match (plan.asks, &plan.sidecar) {
            (None, _) => processes.answer().await?,
            (Some(server), Some((program, metadata))) => {
                let starting = Sidecar::start(program, metadata, plan.address, server, binary)?;
                processes.starting.spawn(async move { Ok(Beside::Sidecar(starting.ready().await?)) });
            }
            (Some(server), None) => {
                let (setup, bootstrapped) = sidecar(plan, server, binary)?;
                processes.starting.spawn(async move { Ok(Beside::Envoy(Proxy::start(&setup, &bootstrapped).await?)) });
            }
        }
        Ok(processes)
    }

    /// Returns when its Envoy is ready and its application answers.
    pub async fn ready(&mut self) -> anyhow::Result<()> {
        if let Some(started) = self.starting.join_next().await {
            self.beside = Some(started??);
        }
        self.answer().await
    }

    async fn answer(&mut self) -> anyhow::Result<()> {
        for at in std::mem::take(&mut self.waiting) {
            let started = Backend::saying(at, &self.who).await;
            self.applications.push(started.with_context(|| format!("{at} cannot be had"))?);
        }
        Ok(())
    }

    /// Its Envoy, if it is ready and asks by itself.
    pub fn envoy(&self) -> Option<&Proxy> {
        match &self.beside {
            Some(Beside::Envoy(envoy)) => Some(envoy),
            _ => None,
        }
    }

    /// What a sidecar does when its task is stopped: health checks fail, connections are told to go elsewhere, and
    /// requests are answered as before.
    pub async fn drain(&mut self) -> anyhow::Result<()> {
        self.ready().await?;
        match &self.beside {
            None => {}
            Some(Beside::Sidecar(sidecar)) => sidecar.terminate()?,
            Some(Beside::Envoy(envoy)) => {
                for path in ["/healthcheck/fail", "/drain_listeners?graceful&skip_exit"] {
                    envoy.admin().post(path).await?;
                }
            }
        }
        Ok(())
    }

    /// Both are gone when this returns.
    pub async fn end(mut self) {
        self.starting.shutdown().await;
        match self.beside {
            None => {}
            Some(Beside::Envoy(envoy)) => envoy.stop().await,
            Some(Beside::Sidecar(sidecar)) => sidecar.end().await,
        }
        drop(self.applications);
    }
}

/// Its bootstrap knows its name, its address and the control plane.
fn sidecar(plan: &Plan, server: SocketAddr, binary: &EnvoyBinary) -> anyhow::Result<(Setup, Compiled)> {
    let mesh = format!("mesh \"task\" {{ node \"{}\" {{ bind \"{}\"; }}; }}", plan.revision, plan.address);
    let setup = Setup {
        binary: binary.clone(),
        variant: Variant::Delta,
        id: format!("{}~{}", plan.revision, plan.id),
        address: plan.address,
        servers: vec![server],
    };
    Ok((setup, compile(&mesh, &module())?))
}
