//! `meshwright serve` as a person runs it: a process that follows a file.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::Context as _;
use local::{Client, Request};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};

const READY_WITHIN: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(5);

/// How to start it.
#[derive(Clone, Debug)]
pub struct Setup {
    /// `meshwright`.
    pub program: PathBuf,
    /// None: what runs is all of the mesh.
    pub mesh: Option<PathBuf>,
    /// Where it asks what runs.
    pub ecs: Option<Ecs>,
    pub listen: SocketAddr,
    pub admin: SocketAddr,
    /// Where it keeps what it served last; nowhere.
    pub state: Option<PathBuf>,
    pub log: PathBuf,
}

/// An AWS that is asked what runs.
#[derive(Clone, Debug)]
pub struct Ecs {
    pub endpoint: String,
    /// Between two reads.
    pub interval: Duration,
    /// Whatever else is to be said on the command line.
    pub arguments: Vec<String>,
}

impl Ecs {
    fn say(&self, command: &mut Command) {
        command.args(["--ecs", "--interval", &format!("{}ms", self.interval.as_millis())]);
        command.args(&self.arguments).env("AWS_ENDPOINT_URL", &self.endpoint).env("AWS_REGION", "eu-central-1");
        command.env("AWS_ACCESS_KEY_ID", "nobody").env("AWS_SECRET_ACCESS_KEY", "nothing");
        // Nothing of the machine's own account.
        for variable in ["AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_ECS", "AWS_ENDPOINT_URL_EC2"] {
            command.env_remove(variable);
        }
        command.env("AWS_CONFIG_FILE", "/dev/null").env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
    }
}

/// A control plane that follows a file. Dropping it kills it.
#[derive(Debug)]
pub struct Serve {
    child: Child,
    admin: SocketAddr,
}

impl Serve {
    /// Returns when it has something to serve.
    pub async fn start(setup: &Setup) -> anyhow::Result<Self> {
        let serve = Self::spawn(setup)?;
        let deadline = Instant::now() + READY_WITHIN;
        while !serve.is_ready().await {
            let log = || std::fs::read_to_string(&setup.log).unwrap_or_default();
            anyhow::ensure!(Instant::now() < deadline, "it does not become ready: {}", log());
            sleep(POLL).await;
        }
        Ok(serve)
    }

    /// Returns at once.
    pub fn spawn(setup: &Setup) -> anyhow::Result<Self> {
        let mut command = Command::new(&setup.program);
        command.arg("serve").args(&setup.mesh);
        if let Some(ecs) = &setup.ecs {
            ecs.say(&mut command);
        }
        command.args(["--listen", &setup.listen.to_string(), "--admin", &setup.admin.to_string()]);
        match &setup.state {
            Some(folder) => command.arg("--state").arg(folder),
            None => command.arg("--no-state"),
        };
        let log = std::fs::OpenOptions::new().create(true).append(true).open(&setup.log)?;
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).kill_on_drop(true);
        let child = command.spawn().with_context(|| format!("cannot run {}", setup.program.display()))?;
        Ok(Self { child, admin: setup.admin })
    }

    pub async fn is_ready(&self) -> bool {
        self.get("/readyz").await.is_ok_and(|(status, _)| status == 200)
    }

    /// What it says of itself.
    pub async fn status(&self) -> anyhow::Result<Value> {
        Ok(serde_json::from_str(&self.get("/status?format=json").await?.1)?)
    }

    /// As which node it is told, who says that it is this one; none if there is no such client.
    pub async fn told(&self, id: &str) -> anyhow::Result<Option<String>> {
        let streams: Value = serde_json::from_str(&self.get("/streams?format=json").await?.1)?;
        let mut streams = streams.as_array().into_iter().flatten();
        let ours = streams.find(|stream| stream["node"] == id);
        Ok(ours.and_then(|stream| stream["proxy"].as_str()).map(str::to_owned))
    }

    /// The sum of a counter, over all its labels that hold this text.
    pub async fn counted(&self, name: &str, label: &str) -> anyhow::Result<u64> {
        let (_, text) = self.get("/metrics").await?;
        let begins = format!("meshwright_control_plane_{name}_total");
        let of = text.lines().filter(|line| line.starts_with(&begins) && line.contains(label));
        Ok(of.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok()).sum::<f64>() as u64)
    }

    /// Waits until the status is as the predicate wants it. How long that took.
    pub async fn wait_for(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> anyhow::Result<Duration> {
        let from = Instant::now();
        loop {
            let status = self.status().await?;
            if wanted(&status) {
                return Ok(from.elapsed());
            }
            anyhow::ensure!(from.elapsed() < READY_WITHIN, "{what}: not so: {status}");
            sleep(POLL).await;
        }
    }

    pub fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        let pid = self.child.id().and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?)).context("it runs")?;
        Ok(kill_process(pid, signal)?)
    }

    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// SIGTERM, and its end.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        self.signal(Signal::TERM)?;
        tokio::time::timeout(READY_WITHIN, self.child.wait()).await.context("it does not end")??;
        Ok(())
    }

    /// SIGKILL. It is gone when this returns.
    pub async fn kill(mut self) -> anyhow::Result<()> {
        Ok(self.child.kill().await?)
    }

    async fn get(&self, path: &str) -> anyhow::Result<(u16, String)> {
        let response = Client::new(self.admin).send(&Request::get(path)).await?;
        Ok((response.status, response.text().into_owned()))
    }
}

/// Puts a text in the place of another in one step, as editors and deployments do.
pub fn replace(path: &Path, text: &str) -> anyhow::Result<()> {
    let beside = path.with_extension("new");
    std::fs::write(&beside, text)?;
    Ok(std::fs::rename(beside, path)?)
}
