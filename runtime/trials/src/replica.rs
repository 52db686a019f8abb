//! A control plane as a process of its own, to be killed. What it publishes is a matter of the time of day alone, so that
//! replicas agree without knowing of each other, and one that starts anew knows what left the mesh a moment ago.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use clap::Args;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};

use crate::control::Control;
use crate::mesh::{Places, state};
use crate::stage::State;

/// The name of the command that is a replica.
pub const COMMAND: &str = "replica";
/// How often a replica looks whether something has to change.
const LOOK: Duration = Duration::from_millis(2);
const LISTENS_WITHIN: Duration = Duration::from_secs(30);
/// What has left the mesh is offered for so long.
const GRACE: Duration = Duration::from_secs(3);

/// What a replica does.
#[derive(Args, Clone, Debug)]
pub struct Schedule {
    #[arg(long)]
    pub listen: SocketAddr,
    #[arg(long, value_delimiter = ',')]
    pub edges: Vec<IpAddr>,
    #[arg(long, value_delimiter = ',')]
    pub backends: Vec<SocketAddr>,
    /// So many states take turns; the one after them is the last.
    #[arg(long)]
    pub ring: usize,
    #[arg(long)]
    pub per_second: f64,
    /// Milliseconds since 1970: from then on it is the last state.
    #[arg(long)]
    pub until: u64,
}

/// A replica that runs. Dropping it kills it.
#[derive(Debug)]
pub struct Replica {
    child: Child,
}

impl Replica {
    /// Returns when it listens. `program` has the command [`COMMAND`].
    pub async fn start(program: &Path, schedule: &Schedule) -> anyhow::Result<Self> {
        let listed = |all: &mut dyn Iterator<Item = String>| all.collect::<Vec<_>>().join(",");
        let edges = listed(&mut schedule.edges.iter().map(ToString::to_string));
        let backends = listed(&mut schedule.backends.iter().map(ToString::to_string));
        let child = Command::new(program)
            .arg(COMMAND)
            .args(["--listen", &schedule.listen.to_string(), "--edges", &edges])
            .args(["--backends", &backends, "--ring", &schedule.ring.to_string()])
            .args(["--per-second", &schedule.per_second.to_string(), "--until", &schedule.until.to_string()])
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot run {}", program.display()))?;
        let deadline = Instant::now() + LISTENS_WITHIN;
        while TcpStream::connect(schedule.listen).await.is_err() {
            anyhow::ensure!(Instant::now() < deadline, "a replica does not listen at {}", schedule.listen);
            sleep(LOOK).await;
        }
        Ok(Self { child })
    }

    /// SIGKILL. It is gone when this returns.
    pub async fn kill(mut self) -> anyhow::Result<()> {
        Ok(self.child.kill().await?)
    }

    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }
}

/// Serves for ever.
pub async fn run(schedule: &Schedule) -> anyhow::Result<()> {
    let places = Places { edges: schedule.edges.clone(), backends: schedule.backends.clone() };
    let states: Vec<State> =
        (0..=schedule.ring).map(|number| State::of(number, &state(number, &places))).collect::<anyhow::Result<_>>()?;
    let mut now = since_1970();
    let mut turn = schedule.turn(now.saturating_sub(GRACE));
    let mut published = (*schedule.state(&states, turn)?.published).clone();
    // What a replica that was there would have published since.
    while turn < schedule.turn(now) {
        turn += 1;
        published = published.followed_by(schedule.state(&states, turn)?.published.mesh().clone(), now, GRACE);
    }
    let control = Control::start(schedule.listen, Arc::new(published.clone())).await?;
    loop {
        sleep(LOOK).await;
        now = since_1970();
        let next = schedule.turn(now);
        if next != turn {
            turn = next;
            published = published.followed_by(schedule.state(&states, turn)?.published.mesh().clone(), now, GRACE);
        } else if let Some(without) = published.expired(now) {
            published = without;
        } else {
            continue;
        }
        control.publish(Arc::new(published.clone()));
    }
}

impl Schedule {
    /// Turns since 1970; the last one never ends.
    fn turn(&self, since_1970: Duration) -> u64 {
        // The number of turns fits for some thousand million years.
        (since_1970.min(Duration::from_millis(self.until)).as_secs_f64() * self.per_second) as u64
    }

    fn state<'a>(&self, states: &'a [State], turn: u64) -> anyhow::Result<&'a State> {
        let last = self.turn(Duration::from_millis(self.until));
        let number = if turn >= last { self.ring } else { usize::try_from(turn % self.ring as u64)? };
        states.get(number).context("the schedule names states that there are")
    }
}

pub fn since_1970() -> Duration {
    // A clock before 1970 makes a schedule that stands still, and trials that fail.
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
