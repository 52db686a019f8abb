//! A control plane as a process of its own, to be killed. What it publishes is a matter of the time of day alone, so that
//! replicas agree without knowing of each other, and one that starts anew knows what left the mesh a moment ago.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use clap::Args;
use compiler::snapshot::ResourceKind;
use control_plane::{Published, Resources, View};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};

use crate::control::Control;
use crate::mesh::Places;
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
    #[arg(long)]
    pub edge: IpAddr,
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
        let backends: Vec<String> = schedule.backends.iter().map(ToString::to_string).collect();
        let child = Command::new(program)
            .arg(COMMAND)
            .args(["--listen", &schedule.listen.to_string(), "--edge", &schedule.edge.to_string()])
            .args(["--backends", &backends.join(","), "--ring", &schedule.ring.to_string()])
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
    let places = Places { edge: schedule.edge, backends: schedule.backends.clone() };
    let states: Vec<State> =
        (0..=schedule.ring).map(|number| State::of(number, &places)).collect::<anyhow::Result<_>>()?;
    let mut shown = schedule.now(since_1970());
    let control = Control::start(schedule.listen, Arc::new(offered(&states, &shown)?)).await?;
    loop {
        sleep(LOOK).await;
        let now = schedule.now(since_1970());
        if now != shown {
            control.publish(Arc::new(offered(&states, &now)?));
            shown = now;
        }
    }
}

/// The state at hand, and those that left within the grace time.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Now {
    number: usize,
    left: Vec<usize>,
}

impl Schedule {
    fn now(&self, since_1970: Duration) -> Now {
        let until = Duration::from_millis(self.until);
        let at = |time: Duration| match time < until {
            // The number of turns since 1970 fits for some thousand million years.
            true => (time.as_secs_f64() * self.per_second) as u64 % self.ring as u64,
            false => self.ring as u64,
        };
        let number = at(since_1970) as usize;
        let step = Duration::from_secs_f64(0.5 / self.per_second).min(GRACE);
        let mut left = Vec::new();
        let mut back = Duration::ZERO;
        while back <= GRACE {
            let before = at(since_1970.saturating_sub(back)) as usize;
            if before != number && !left.contains(&before) {
                left.push(before);
            }
            back += step;
        }
        left.sort_unstable();
        Now { number, left }
    }
}

/// Everything of the state at hand; of those that left, the clusters and endpoints.
fn offered(states: &[State], now: &Now) -> anyhow::Result<Published> {
    let state = |number: usize| states.get(number).context("the schedule names states that there are");
    let mut views = BTreeMap::new();
    for (proxy, view) in state(now.number)?.published.views() {
        let mut offered: View = (**view).clone();
        for left in &now.left {
            let Some(before) = state(*left)?.published.view(proxy) else { continue };
            for kind in [ResourceKind::Cluster, ResourceKind::Endpoints] {
                let both = Resources::union(&before.of(kind), &offered.of(kind));
                offered = offered.with(kind, both);
            }
        }
        views.insert(proxy.to_owned(), Arc::new(offered));
    }
    Ok(Published::with_views(views))
}

pub fn since_1970() -> Duration {
    // A clock before 1970 makes a schedule that stands still, and trials that fail.
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
