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
use tokio::task::{JoinHandle, JoinSet};

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

const ENDED: &str = "whatever reads ECS has ended, which is a mistake of this program: start it again";

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
struct Shown {
    handle: OnceLock<Handle>,
    /// When this began, in seconds since 1970.
    since: u64,
    /// Whether an earlier run left what it had read.
    known: bool,
}

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
    let known = known(&place.file);
    let shown = Arc::new(Shown { handle: OnceLock::new(), since: now(), known: known.is_some() });
    let options = discovery::Options {
        interval: arguments.interval,
        calls_per_second: arguments.calls_per_second,
        known,
        file: Some(place.file.clone()),
        ..discovery::Options::default()
    };
    let stale_after = arguments.interval.saturating_mul(STALE_AFTER);
    let trouble = Arc::new(reconciler.trouble());
    let run = run(
        Arc::clone(&shown),
        aws,
        options,
        arguments.clusters.iter().cloned().collect(),
        reconciler.wants.clone(),
        metrics.clone(),
        (stale_after, Arc::clone(&trouble)),
    );
    let task = tokio::spawn(async move {
        // Aborted with this task.
        let mut running = JoinSet::new();
        running.spawn(run);
        if running.join_next().await.is_some_and(|ended| ended.is_err()) {
            tell_of_the_end(&*trouble).await;
        }
    });
    Ok(Discovering { shown, task })
}

/// As often as it may be overheard.
async fn tell_of_the_end(trouble: &impl Fn(Option<String>)) {
    loop {
        trouble(Some(ENDED.to_owned()));
        tokio::time::sleep(LOOK).await;
    }
}

async fn run(
    shown: Arc<Shown>,
    aws: Option<Aws>,
    options: discovery::Options,
    clusters: BTreeSet<String>,
    mut wanted: watch::Receiver<Option<Wants>>,
    metrics: Metrics,
    (stale_after, trouble): (Duration, Arc<impl Fn(Option<String>)>),
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
        None => ready(&*trouble).await,
    };
    let wants = watch::Sender::new(first);
    let handle = discovery::start(options, aws, wants.subscribe());
    metrics.register(|registered| handle.metrics.register(registered));
    let mut status = handle.status.clone();
    let since = shown.since;
    let _ = shown.handle.set(handle);
    loop {
        trouble(stale(&status.borrow_and_update().clone(), since, stale_after, now()));
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
                    return tell_of_the_end(&*trouble).await;
                }
            }
            () = tokio::time::sleep(LOOK) => {}
        }
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

/// Why what was read last is not what runs now. Whoever reads may fail, and may hang.
fn stale(status: &Status, began: u64, stale_after: Duration, now: u64) -> Option<String> {
    let why = status.failing.as_ref().map_or_else(String::new, |failing| format!(": {}", failing.error));
    let Some(read) = &status.last_read else {
        return Some(format!("ECS was not read since the start, {} s ago{why}", now.saturating_sub(began)));
    };
    // A read may take longer than an interval, and the next may be put off until there are calls for it.
    let expected = match status.failing {
        Some(_) => read.at,
        None => read.at.max(status.next_read.unwrap_or_default()).saturating_add(longest(read.seconds)),
    };
    let too_long = now.saturating_sub(expected) > stale_after.as_secs();
    too_long.then(|| format!("ECS was not read for {} s{why}", now.saturating_sub(read.at)))
}

/// What the next read may take after one that took so long.
fn longest(seconds: f64) -> u64 {
    Duration::try_from_secs_f64(seconds * 2.0).unwrap_or_default().as_secs()
}

impl Discovering {
    /// For the pages.
    pub(super) fn shown(&self) -> Arc<dyn admin::Discovery> {
        Arc::<Shown>::clone(&self.shown)
    }

    /// Does not wait for the next interval.
    pub(super) fn read_now(&self) {
        if let Some(handle) = self.shown.handle.get() {
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
        match self.handle.get() {
            None => vec![("ECS", "nothing is read before the mesh has said what".to_owned())],
            Some(handle) => lines(&handle.status.borrow(), self, now()),
        }
    }

    fn json(&self) -> serde_json::Value {
        // A status has no keys but texts.
        self.handle
            .get()
            .map_or_else(Default::default, |handle| serde_json::to_value(&*handle.status.borrow()).unwrap_or_default())
    }

    fn release(&self) -> bool {
        let Some(handle) = self.handle.get() else { return false };
        let keeps = handle.status.borrow().preserving.is_some();
        if keeps {
            handle.release();
        }
        keeps
    }
}

fn lines(status: &Status, shown: &Shown, now: u64) -> Vec<(&'static str, String)> {
    let mut lines = Vec::new();
    let clusters = match status.clusters.as_slice() {
        [] => String::new(),
        names => format!(", clusters {}", names.join(", ")),
    };
    lines.push(("ECS", format!("{}{clusters}", status.region)));
    lines.push(match &status.last_read {
        None => {
            let earlier = if shown.known { "; what an earlier run had read is taken" } else { "" };
            let ago = now.saturating_sub(shown.since);
            ("read", format!("never since the start, {ago} s ago{earlier}"))
        }
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

#[cfg(test)]
mod tests {
    use discovery::run::status::{Failing, LastRead};

    use super::*;

    const AFTER: Duration = Duration::from_secs(45);

    fn failing(since: u64) -> Option<Failing> {
        Some(Failing { since, reads: 1, error: "no answer".to_owned(), credentials: false })
    }

    fn read(at: u64) -> Status {
        let last_read = Some(LastRead { at, seconds: 1.0, calls: 1 });
        Status { last_read, next_read: Some(at + 15), ..Status::default() }
    }

    #[test]
    fn what_was_not_read_since_the_start_is_stale_whatever_an_earlier_run_left() {
        let status = Status { failing: failing(1000), ..Status::default() };
        let told = stale(&status, 1000, AFTER, 1010);
        assert_eq!(told.as_deref(), Some("ECS was not read since the start, 10 s ago: no answer"));
    }

    #[test]
    fn reads_that_fail_are_stale_after_a_while_since_the_last_that_did_not() {
        let status = Status { failing: failing(1040), ..read(1000) };
        assert_eq!(stale(&status, 0, AFTER, 1045), None);
        assert_eq!(stale(&status, 0, AFTER, 1046).as_deref(), Some("ECS was not read for 46 s: no answer"));
    }

    #[test]
    fn a_read_that_hangs_is_stale_although_nothing_fails() {
        assert_eq!(stale(&read(1000), 0, AFTER, 1060), None);
        assert_eq!(stale(&read(1000), 0, AFTER, 1100).as_deref(), Some("ECS was not read for 100 s"));
        let put_off = Status { next_read: Some(1200), ..read(1000) };
        assert_eq!(stale(&put_off, 0, AFTER, 1200), None);
    }

    #[test]
    fn the_page_says_how_old_it_is_what_was_read() {
        let shown = |known| Shown { handle: OnceLock::new(), since: 1000, known };
        let line = |status: &Status, shown: &Shown| {
            lines(status, shown, 1030).into_iter().find(|(name, _)| *name == "read").unwrap().1
        };
        assert_eq!(line(&read(1020), &shown(true)), "10 s ago in 1.0 s with 1 calls");
        let earlier = "never since the start, 30 s ago; what an earlier run had read is taken";
        assert_eq!(line(&Status::default(), &shown(true)), earlier);
        assert_eq!(line(&Status::default(), &shown(false)), "never since the start, 30 s ago");
    }

    #[tokio::test]
    async fn the_end_of_whatever_reads_is_told_again_and_again() {
        let (said, mut heard) = tokio::sync::mpsc::unbounded_channel();
        let trouble = move |reason| drop(said.send(reason));
        let telling = tell_of_the_end(&trouble);
        tokio::select! {
            () = telling => {}
            first = heard.recv() => assert_eq!(first.unwrap().as_deref(), Some(ENDED)),
        }
    }
}
