//! `serve --ecs`: what runs is read from AWS into a file, which is a source like any other.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use clap::Args;
use compiler::import::ecs::Wants;
use compiler::observation::{Observation, text};
use control_plane::reconcile::Reconciler;
use control_plane::{Metrics, admin};
use discovery::{Aws, Handle, Status};
use spec::{Diagnostics, SourceFile, Sources};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::duration::duration;
use crate::exit::Exit;

/// What is read of AWS.
#[derive(Args, Debug)]
#[command(next_help_heading = "ECS")]
pub(super) struct Ecs {
    /// Find out what runs on ECS and add it to the mesh; without a mesh, it is all of it
    #[arg(long, conflicts_with_all = ["observed", "from"])]
    pub(super) ecs: bool,
    /// A cluster to read, by its name or ARN, or `*` for all of the account; by default those that the mesh names, else
    /// `default`
    #[arg(long = "cluster", value_name = "NAME", requires = "ecs")]
    pub(super) clusters: Vec<String>,
    /// How often ECS is read, give or take a fifth; less often where the calls do not suffice
    #[arg(long, value_name = "TIME", default_value = "15s", value_parser = interval, requires = "ecs")]
    interval: Duration,
    /// How many calls of AWS a second may take
    #[arg(long, value_name = "NUMBER", default_value_t = 5.0, value_parser = calls, requires = "ecs")]
    calls_per_second: f64,
}

/// After so many intervals without a whole read, what is served is stale.
const STALE_AFTER: u32 = 3;
/// How often that is looked at.
const LOOK: Duration = Duration::from_secs(1);
/// Between tries to find out where this machine is.
const AGAIN: Duration = Duration::from_secs(10);

/// The file that has what runs, and whatever keeps it there.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) file: PathBuf,
    /// Goes when this does.
    _folder: Option<tempfile::TempDir>,
}

impl Place {
    /// In the folder of states, or in one that lasts as long as this.
    pub(super) fn in_folder(state: Option<&Path>) -> Result<Self, Exit> {
        let (folder, own) = match state {
            // Apart from states: whoever keeps those clears away what is none.
            Some(state) => (state.join("ecs"), None),
            None => {
                let own = tempfile::Builder::new().prefix("meshwright-").tempdir()?;
                (own.path().to_owned(), Some(own))
            }
        };
        std::fs::create_dir_all(&folder)?;
        Ok(Self { file: folder.join("observed.json"), _folder: own })
    }
}

/// Discovery that begins when the mesh has said what it wants, and ends with this.
pub(super) struct Discovering {
    shown: Arc<Shown>,
    task: JoinHandle<()>,
}

/// What pages and signals have of it.
#[derive(Default)]
struct Shown(OnceLock<Handle>);

/// Needs credentials only when it begins to read, which may be long before there are any.
pub(super) async fn start(
    arguments: &Ecs,
    place: &Place,
    reconciler: &Reconciler,
    metrics: &Metrics,
) -> Result<Discovering, Exit> {
    let aws = match Aws::from_environment().await {
        Ok(aws) => Some(aws),
        // What was served before is served until the machine says where it is, and is stale.
        Err(_) if !reconciler.published.borrow().is_empty() => None,
        Err(error) => return Err(Exit::usage(error)),
    };
    let options = discovery::Options {
        interval: arguments.interval,
        calls_per_second: arguments.calls_per_second,
        known: known(&place.file),
        file: Some(place.file.clone()),
        ..discovery::Options::default()
    };
    let shown = Arc::<Shown>::default();
    let stale_after = arguments.interval.saturating_mul(STALE_AFTER);
    let run = run(
        Arc::clone(&shown),
        aws,
        options,
        arguments.clusters.iter().cloned().collect(),
        reconciler.wants.clone(),
        metrics.clone(),
        (stale_after, reconciler.trouble()),
    );
    Ok(Discovering { shown, task: tokio::spawn(run) })
}

async fn run(
    shown: Arc<Shown>,
    aws: Option<Aws>,
    options: discovery::Options,
    clusters: BTreeSet<String>,
    mut wanted: watch::Receiver<Option<Wants>>,
    metrics: Metrics,
    (stale_after, trouble): (Duration, impl Fn(Option<String>)),
) {
    let in_all = |wants: &Wants| match clusters.is_empty() {
        true => wants.clone(),
        false => Wants { clusters: clusters.clone(), ..wants.clone() },
    };
    let first = match wanted.wait_for(Option::is_some).await {
        Ok(first) => in_all(&first.clone().unwrap_or_default()),
        Err(_) => return,
    };
    let aws = match aws {
        Some(aws) => aws,
        None => ready(&trouble).await,
    };
    let wants = watch::Sender::new(first);
    let handle = discovery::start(options, aws, wants.subscribe());
    metrics.register(|registered| handle.metrics.register(registered));
    let mut status = handle.status.clone();
    let _ = shown.0.set(handle);
    loop {
        tokio::select! {
            changed = wanted.changed() => {
                if changed.is_err() {
                    return;
                }
                let next = in_all(&wanted.borrow_and_update().clone().unwrap_or_default());
                wants.send_if_modified(|known| std::mem::replace(known, next.clone()) != next);
            }
            changed = status.changed() => {
                if changed.is_err() {
                    return;
                }
            }
            () = tokio::time::sleep(LOOK) => {}
        }
        let status = status.borrow_and_update().clone();
        trouble(failing_too_long(&status, stale_after));
    }
}

/// Tries until there is a region and an end point.
async fn ready(trouble: &impl Fn(Option<String>)) -> Aws {
    loop {
        match Aws::from_environment().await {
            Ok(aws) => return aws,
            Err(error) => trouble(Some(format!("ECS cannot be read: {error}"))),
        }
        tokio::time::sleep(AGAIN).await;
    }
}

fn failing_too_long(status: &Status, stale_after: Duration) -> Option<String> {
    let failing = status.failing.as_ref()?;
    let since = status.last_read.as_ref().map_or(failing.since, |read| read.at.min(failing.since));
    let too_long = now().saturating_sub(since) > stale_after.as_secs();
    too_long.then(|| format!("ECS was not read for more than {} s: {}", stale_after.as_secs(), failing.error))
}

impl Discovering {
    /// For the pages.
    pub(super) fn shown(&self) -> Arc<dyn admin::Discovery> {
        Arc::<Shown>::clone(&self.shown)
    }

    /// Does not wait for the next interval.
    pub(super) fn read_now(&self) {
        if let Some(handle) = self.shown.0.get() {
            handle.read_now();
        }
    }
}

impl Drop for Discovering {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl admin::Discovery for Shown {
    fn lines(&self) -> Vec<(&'static str, String)> {
        match self.0.get() {
            None => vec![("ECS", "nothing is read before the mesh has said what".to_owned())],
            Some(handle) => lines(&handle.status.borrow(), now()),
        }
    }

    fn json(&self) -> serde_json::Value {
        // A status has no keys but texts.
        self.0
            .get()
            .map_or_else(Default::default, |handle| serde_json::to_value(&*handle.status.borrow()).unwrap_or_default())
    }

    fn release(&self) -> bool {
        let Some(handle) = self.0.get() else { return false };
        let keeps = handle.status.borrow().preserving.is_some();
        if keeps {
            handle.release();
        }
        keeps
    }
}

fn lines(status: &Status, now: u64) -> Vec<(&'static str, String)> {
    let mut lines = Vec::new();
    let clusters = match status.clusters.as_slice() {
        [] => String::new(),
        names => format!(", clusters {}", names.join(", ")),
    };
    lines.push(("ECS", format!("{}{clusters}", status.region)));
    lines.push(match &status.last_read {
        None => ("read", "never".to_owned()),
        Some(read) => {
            let ago = now.saturating_sub(read.at);
            ("read", format!("{ago} s ago in {:.1} s with {} calls", read.seconds, read.calls))
        }
    });
    if let Some(reading) = &status.reading {
        lines.push(("", format!("reading now: {} calls, {} tasks", reading.calls, reading.tasks)));
    }
    lines.push(("known", format!("{} tasks, {} running, {} kept", status.tasks, status.running, status.retained)));
    lines.push(("calls", format!("{}, {} of them throttled", status.calls, status.throttled)));
    if let Some(preserving) = &status.preserving {
        let seconds = now.saturating_sub(preserving.since);
        lines.push(("preserving", format!("for {seconds} s: {}", preserving.reason)));
        lines.push(("", "to let it go: POST /release".to_owned()));
    }
    if let Some(failing) = &status.failing {
        let seconds = now.saturating_sub(failing.since);
        let whose = if failing.credentials { "credentials: " } else { "" };
        lines.push(("failing", format!("for {seconds} s, {} reads: {whose}{}", failing.reads, failing.error)));
    }
    lines.extend(status.unread.iter().map(|family| ("unread", format!("a task definition of {family}"))));
    lines.extend(status.missing.iter().map(|line| ("missing", line.clone())));
    lines.extend(status.unwritten.iter().map(|error| ("unwritten", error.clone())));
    lines
}

/// What an earlier run wrote. Of no use, it is read anew.
fn known(file: &Path) -> Option<Observation> {
    let written = std::fs::read_to_string(file).ok()?;
    let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
    let file = sources.add(SourceFile::secret(file.to_string_lossy(), written));
    text::read(file, &sources, &mut diagnostics).map(text::Located::plain)
}

pub(in crate::command) fn interval(text: &str) -> Result<Duration, String> {
    let interval = duration(text)?;
    let least = discovery::run::LEAST_INTERVAL;
    if interval < least {
        return Err(format!("ECS is read every {} s at most", least.as_secs()));
    }
    Ok(interval)
}

pub(in crate::command) fn calls(text: &str) -> Result<f64, String> {
    let calls: f64 = text.parse().map_err(|_| format!("`{text}` is no number"))?;
    if calls.is_finite() && (0.1..=100.0).contains(&calls) { Ok(calls) } else { Err("say 0.1 to 100".to_owned()) }
}

fn now() -> u64 {
    control_plane::status::Seconds::now().0
}
