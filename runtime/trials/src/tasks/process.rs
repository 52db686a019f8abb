//! What runs in a task: its application, and beside it, where it has one, a real Envoy that asks the control plane.

use std::net::{IpAddr, SocketAddr};

use anyhow::Context as _;
use control_plane::Variant;
use local::EnvoyBinary;
use tokio::task::JoinSet;

use crate::backend::Backend;
use crate::mesh::{Compiled, compile};
use crate::proxy::{Proxy, Setup, module};

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
}

/// Both processes of a task. Dropping it kills them.
#[derive(Debug)]
pub struct Processes {
    applications: Vec<Backend>,
    /// An Envoy that becomes ready when it was told what it is.
    starting: JoinSet<anyhow::Result<Proxy>>,
    envoy: Option<Proxy>,
}

impl Processes {
    /// Returns as soon as the application answers, to which `who` it is. Its Envoy is on its way.
    pub async fn start(plan: &Plan, who: &str, binary: &EnvoyBinary) -> anyhow::Result<Self> {
        let mut applications = Vec::new();
        for port in &plan.ports {
            let at = SocketAddr::new(plan.address, *port);
            applications.push(Backend::saying(at, who).await.with_context(|| format!("{at} cannot be had"))?);
        }
        let mut starting = JoinSet::new();
        if let Some(server) = plan.asks {
            let (setup, bootstrapped) = sidecar(plan, server, binary)?;
            starting.spawn(async move { Proxy::start(&setup, &bootstrapped).await });
        }
        Ok(Self { applications, starting, envoy: None })
    }

    /// Its Envoy, when it is ready; none where it has none.
    pub async fn envoy(&mut self) -> anyhow::Result<Option<&Proxy>> {
        if let Some(started) = self.starting.join_next().await {
            self.envoy = Some(started??);
        }
        Ok(self.envoy.as_ref())
    }

    /// What a sidecar does when its task is stopped: health checks fail, connections are told to go elsewhere, and
    /// requests are answered as before.
    pub async fn drain(&mut self) -> anyhow::Result<()> {
        let Some(envoy) = self.envoy().await? else { return Ok(()) };
        for path in ["/healthcheck/fail", "/drain_listeners?graceful&skip_exit"] {
            envoy.admin().post(path).await?;
        }
        Ok(())
    }

    /// Both are gone when this returns.
    pub async fn end(mut self) {
        self.starting.shutdown().await;
        if let Some(envoy) = self.envoy {
            envoy.stop().await;
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
