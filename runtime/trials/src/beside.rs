//! A4: an Envoy starts, and starts again, while no control plane answers: `meshwright sidecar` has what it needs.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use local::{Admin, EnvoyBinary};
use tokio::process::Command;
use tokio::time::{Instant, sleep};

use crate::control::Control;
use crate::load::{Plan, Tally};
use crate::mesh::{edge, state};
use crate::stage::Stage;

const PATIENCE: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(5);

#[derive(Clone, Debug)]
pub struct Started {
    /// From the start of the sidecar to the first answer, with nothing but the bundle.
    pub first: Duration,
    /// From the death of Envoy to the next answer.
    pub again: Duration,
    /// From the return of the control plane to answers that obey what it says.
    pub obeyed: Duration,
    /// While the control plane came back.
    pub tally: Tally,
}

pub async fn beside(binary: &EnvoyBinary, program: &Path) -> anyhow::Result<Started> {
    let stage = Stage::set(binary, 2).await?;
    let (server, second) = (stage.server(0)?, stage.state(1)?);
    let folder = tempfile::tempdir()?;
    let (mesh, out) = (folder.path().join("mesh.kdl"), folder.path().join("out"));
    std::fs::write(&mesh, state(0, &stage.places))?;
    let written = Command::new(program)
        .arg("bootstrap")
        .arg(&mesh)
        .args(["--node", &edge(0), "--xds", &server.to_string(), "--socket", "xds.sock", "-o"])
        .arg(&out)
        .output()
        .await?;
    ensure!(written.status.success(), "no bootstrap: {}", String::from_utf8_lossy(&written.stderr));
    let log = std::fs::File::create(folder.path().join("sidecar.log"))?;
    let begun = std::time::Instant::now();
    let _sidecar = Command::new(program)
        .arg("sidecar")
        .arg("--bootstrap")
        .arg(&out)
        .arg("--envoy")
        .arg(binary.path())
        .args(["--health", &stage.admin(1)?.to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("cannot run {}", program.display()))?;
    let said = || std::fs::read_to_string(folder.path().join("sidecar.log")).unwrap_or_default();
    let first = answered(&stage, begun).await.with_context(said)?;

    let admin = Admin::new(std::net::SocketAddr::new(stage.edge().ip(), compiler::lower::ADMIN_PORT));
    let killed = std::time::Instant::now();
    // Envoy ends at once, and nobody asked for it.
    drop(admin.post("/quitquitquit").await);
    let again = answered_after(&stage, killed).await.with_context(said)?;

    let load = Plan::steady(stage.edge()).start();
    load.more(200).await;
    let control = Control::start(server, second.published.clone()).await?;
    let obeyed = stage.converged(&load, second, PATIENCE).await.with_context(said)?;
    load.more(200).await;
    let tally = load.stop().await;
    control.stop().await;
    Ok(Started { first, again, obeyed, tally })
}

/// From then to the first answer.
async fn answered(stage: &Stage, since: std::time::Instant) -> anyhow::Result<Duration> {
    let load = Plan { connections: 1, pause: POLL, ..Plan::full(stage.edge()) }.start();
    ensure!(load.wait_for_any(PATIENCE).await, "no answer within {PATIENCE:?}: {:?}", load.tally().losses);
    let elapsed = since.elapsed();
    load.stop().await;
    Ok(elapsed)
}

/// The same, once the Envoy that was there has stopped to answer.
async fn answered_after(stage: &Stage, since: std::time::Instant) -> anyhow::Result<Duration> {
    let deadline = Instant::now() + PATIENCE;
    while tokio::net::TcpStream::connect(stage.edge()).await.is_ok() {
        ensure!(Instant::now() < deadline, "Envoy does not end");
        sleep(Duration::from_millis(1)).await;
    }
    answered(stage, since).await
}
