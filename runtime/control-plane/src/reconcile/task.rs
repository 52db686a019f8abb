//! The one task that owns the state of a reconciler.

use std::future::pending;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use compiler::import::ecs::Wants;
use sha2::{Digest as _, Sha256};
use tokio::sync::{Notify, mpsc, watch as latest};
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::{Instant, sleep_until};
use tracing::{Instrument as _, Span, debug, error, info, info_span, warn};

use super::asked::Asked;
use super::files::{Digests, Places, Reader, places};
use super::keeper::Keeper;
use super::rest::{Rest, Signal};
use super::state::{self, Decision, Said, State};
use super::watch::Watch;
use super::{Attempt, Command, Compile, Failure, Options};
use crate::admin::NotHeld;
use crate::metrics::Metrics;
use crate::published::{Changes, Published, counted};
use crate::status::{Ecs, From, Held, Outcome, Quarantined, Reconcile, Seconds, Serving, Status};
use crate::store::Store;

/// How long until a compiler that crashed is tried again, although nothing changed; doubled each time.
const AGAIN: Duration = Duration::from_secs(10);
const AGAIN_MOST: Duration = Duration::from_secs(300);
/// Of what is stored, what may be said in one line.
const SHORT: usize = 12;

struct Task<C> {
    options: Options,
    compile: Arc<C>,
    metrics: Metrics,
    began: Instant,
    state: State,
    published: latest::Sender<Arc<Published>>,
    status: latest::Sender<Status>,
    keeper: Option<Keeper>,
    files: Files,
    /// What the last attempt that counts had read.
    compiled: Option<Digests>,
    /// What a look without an event found; believed when the next one finds the same.
    candidate: Option<Digests>,
    again: Option<(Instant, Duration)>,
    /// The warnings that were told last.
    warned: String,
    /// Why what is served is not what the sources say.
    stale: Option<String>,
    /// Why the sources are not what is there.
    trouble: Option<String>,
    asked: Asked,
    running: Option<Look>,
}

type Look = Pin<Box<dyn Future<Output = (Looked, Span)> + Send>>;

/// What came of a look.
enum Looked {
    /// Nothing but what was compiled already.
    Same,
    /// It was no event that led here: look again before believing it.
    Different(Digests),
    Attempted(Box<Attempt>, Duration),
    /// Files changed while they were read.
    Overtaken,
}

/// Why a look is taken.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Why {
    Reported,
    Poll,
    /// Somebody asked, or a compiler that crashed gets another try.
    Asked,
}

/// What a look has to know.
struct Before {
    compiled: Option<Digests>,
    candidate: Option<Digests>,
    why: Why,
}

/// What is known of the files, shared with looks.
#[derive(Clone)]
struct Files {
    rest: Arc<Mutex<Rest>>,
    reported: Arc<Notify>,
    /// Only one look at a time has it.
    tools: Arc<Mutex<(Watch, Reader)>>,
    known: Arc<Mutex<Vec<PathBuf>>>,
}

type Handles = (latest::Receiver<Arc<Published>>, latest::Receiver<Status>, JoinHandle<()>);

pub(super) fn start(
    options: Options,
    compile: impl Compile,
    store: Option<Arc<dyn Store>>,
    metrics: Metrics,
    inbox: mpsc::Receiver<Command>,
    wants: latest::Sender<Option<Wants>>,
) -> Handles {
    let began = Instant::now();
    let stored = store.as_deref().and_then(|store| restore(store, &options));
    let state = State { published: Arc::new(stored.unwrap_or_default()), held: None };
    let (published, published_receiver) = latest::channel(Arc::clone(&state.published));
    let (status, status_receiver) = latest::channel(Status::default());
    let (results, results_inbox) = mpsc::channel(1);
    let keeper = store.map(|store| Keeper::start(store, results));
    let files = Files::new(&options, began);
    let mut task = Task {
        options,
        compile: Arc::new(compile),
        metrics,
        began,
        state,
        published,
        status,
        keeper,
        files,
        compiled: None,
        candidate: None,
        again: None,
        warned: String::new(),
        stale: None,
        trouble: None,
        asked: Asked::new(wants),
        running: None,
    };
    if !task.state.published.is_empty() {
        task.stale = Some("the sources were not read yet".to_owned());
        task.tell(Some(From::Stored), |_| {});
        info!("serving {} from the store until the sources are read", short(&task.state.published.digest));
    }
    let task = tokio::spawn(run(task, inbox, results_inbox));
    (published_receiver, status_receiver, task)
}

fn restore(store: &dyn Store, options: &Options) -> Option<Published> {
    let loaded = store.load();
    for (name, reason) in &loaded.skipped {
        warn!("{name} in {} is not used: {reason}", store.place());
    }
    loaded.published(Duration::ZERO, options.policy.grace)
}

async fn run<C: Compile>(
    mut task: Task<C>,
    mut inbox: mpsc::Receiver<Command>,
    mut results: mpsc::Receiver<Result<(), String>>,
) {
    let mut poll_at = Instant::now() + task.options.poll;
    let mut asked = true;
    loop {
        if asked && task.running.is_none() {
            asked = !task.look(Why::Asked);
        }
        let wake = task.wake(poll_at);
        let reported = Arc::clone(&task.files.reported);
        tokio::select! {
            () = sleep_until(wake) => {}
            () = reported.notified() => {}
            (looked, span) = finished(&mut task.running) => {
                task.running = None;
                let _entered = span.entered();
                task.on_looked(looked);
            }
            Some(result) = results.recv() => task.on_stored(result),
            command = inbox.recv() => match command {
                Some(Command::Look) => asked = true,
                Some(Command::Allow(digest, answer)) => drop(answer.send(task.allow(&digest))),
                Some(Command::Trouble(reason)) => task.trouble(reason),
                Some(Command::Stop) | None => break,
            },
        }
        let now = Instant::now();
        task.expire();
        if task.running.is_some() {
            continue;
        }
        if task.again.is_some_and(|(at, _)| at <= now) {
            task.again = task.again.map(|(_, wait)| (now + AGAIN_MOST, wait));
            asked = true;
        } else if task.files.due().is_some_and(|due| task.began + due <= now) {
            task.look(Why::Reported);
        } else if poll_at <= now {
            poll_at = now + task.options.poll;
            task.look(Why::Poll);
        }
    }
    if let Some(keeper) = task.keeper {
        drop(results);
        keeper.stop().await;
    }
}

async fn finished(running: &mut Option<Look>) -> (Looked, Span) {
    match running {
        Some(look) => look.await,
        None => pending().await,
    }
}

impl<C: Compile> Task<C> {
    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    fn wake(&self, poll_at: Instant) -> Instant {
        let expiry = self.state.published.next_expiry().map(|at| self.began + at);
        if self.running.is_some() {
            return expiry.unwrap_or(poll_at + AGAIN_MOST);
        }
        let due = self.files.due().map(|due| self.began + due);
        let again = self.again.map(|(at, _)| at);
        [Some(poll_at), expiry, due, again].into_iter().flatten().min().unwrap_or(poll_at)
    }

    /// Begins a look, unless a file is being written that somebody is to be waited for.
    fn look(&mut self, why: Why) -> bool {
        let now = self.now();
        let known = self.files.known();
        if let Some(writing) = self.files.being_written(&known, now) {
            info!("waiting for {}, which is being written", writing.display());
            // When the writer is done, that is reported.
            self.files.signal(Signal::Changed, now);
            return true;
        }
        lock(&self.files.rest).looked(now);
        let files = self.files.clone();
        let compile = Arc::clone(&self.compile);
        let force = why == Why::Asked && self.again.is_some();
        let compiled = self.compiled.clone().filter(|_| !force);
        let before = Before { compiled, candidate: self.candidate.take(), why };
        let (time, began) = (self.options.time, self.began);
        // Looking now and then is no work to speak of: if something changed, another look follows.
        let span = match why {
            Why::Poll => Span::none(),
            _ => info_span!("reconcile", outcome = tracing::field::Empty, digest = tracing::field::Empty),
        };
        let look = look(files, compile, before, time, began).instrument(span.clone());
        self.running = Some(Box::pin(async move { (look.await, span) }));
        true
    }

    fn on_looked(&mut self, looked: Looked) {
        match looked {
            Looked::Same => {}
            Looked::Different(digests) => {
                self.candidate = Some(digests);
                self.files.signal(Signal::Changed, self.now());
            }
            Looked::Overtaken => self.files.signal(Signal::Changed, self.now()),
            Looked::Attempted(attempt, took) => self.on_attempt(*attempt, took),
        }
    }

    fn on_attempt(&mut self, attempt: Attempt, took: Duration) {
        let Attempt { files, findings, outcome, took: parts, ecs } = attempt;
        let passing = matches!(&outcome, Err(failure) if failure.may_pass());
        self.again = passing.then(|| {
            let wait = self.again.map_or(AGAIN, |(_, wait)| wait.saturating_mul(2).min(AGAIN_MOST));
            (Instant::now() + wait, wait)
        });
        let edited = edited(&files, &self.options, ecs.as_ref());
        self.compiled = Some(files);
        let now = self.now();
        let (outcome, stale) = match outcome {
            Ok(state) => {
                let said = Said { views: state.views(&self.state.published), names: state.names(), edited };
                let (policy, before) = (self.options.policy, self.state.published.edited);
                let decision = info_span!("guard").in_scope(|| state::offer(&mut self.state, said, now, &policy));
                match decision {
                    Decision::Unchanged => {
                        if before != edited
                            && let Some(keeper) = &self.keeper
                        {
                            keeper.keep(&self.state.published);
                        }
                        info!("the sources say what is served: {}", short(&self.state.published.digest));
                        (Outcome::Unchanged, None)
                    }
                    Decision::Published(changes) => {
                        self.publish(&changes, took);
                        (Outcome::Published, None)
                    }
                    Decision::Held => {
                        let held = self.state.held.as_ref();
                        let name = |held: &state::Held| held.edit().unwrap_or_else(|| held.digest.clone());
                        let (digest, reason) = held.map(|held| (name(held), held.reason())).unwrap_or_default();
                        warn!(%digest, "not published: {reason}");
                        (Outcome::Held, Some(format!("the newest state is held: {reason}")))
                    }
                }
            }
            Err(failure) => {
                self.state.held = None;
                // No mistake: it comes by itself.
                let waits = ecs.as_ref().is_some_and(|ecs| !ecs.observed);
                if waits && matches!(failure, Failure::Unreadable(_)) {
                    info!("waiting: {failure}");
                } else {
                    error!(findings = findings.json, "nothing new is served: {failure}{}", beneath(&findings.text));
                }
                let outcome =
                    if matches!(failure, Failure::Invalid { .. }) { Outcome::Invalid } else { Outcome::Failed };
                (outcome, Some(failure.to_string()))
            }
        };
        let wants = ecs.as_ref().and_then(|ecs| ecs.wants.as_ref());
        match outcome {
            Outcome::Published | Outcome::Unchanged => self.asked.accepted(wants),
            Outcome::Held => self.asked.held(wants),
            Outcome::Invalid | Outcome::Failed => self.asked.refused(wants),
        }
        if stale.is_none() {
            self.warn(findings.text, findings.warnings);
        }
        let span = Span::current();
        span.record("outcome", outcome.name());
        span.record("digest", self.state.published.digest.as_str());
        let [read, check, compile] = parts;
        debug!(outcome = outcome.name(), ?took, ?read, ?check, ?compile, "reconciled");
        self.metrics.reconciled(outcome, took);
        let milliseconds = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let reconcile = Reconcile { at: Seconds::now(), milliseconds, outcome, findings: findings.each };
        let from = stale.is_none().then_some(From::Compiled);
        self.stale = stale;
        self.tell(from, |status| {
            status.reconcile = Some(reconcile);
            status.ecs = ecs.map(shown).or(status.ecs.take());
        });
    }

    fn trouble(&mut self, reason: Option<String>) {
        if self.trouble != reason {
            self.trouble = reason;
            self.tell(None, |_| {});
        }
    }

    /// The same warnings once, however often the mesh is compiled.
    fn warn(&mut self, text: String, warnings: usize) {
        if self.warned == text {
            return;
        }
        self.warned = text;
        if warnings > 0 {
            let warnings = counted(warnings, ["warning", "warnings"]);
            warn!("the mesh is served, and has {warnings}{}", beneath(&self.warned));
        }
    }

    fn publish(&mut self, changes: &Changes, took: Duration) {
        let span = info_span!("publish").entered();
        self.published.send_replace(Arc::clone(&self.state.published));
        drop(span);
        if let Some(keeper) = &self.keeper {
            keeper.keep(&self.state.published);
        }
        info!("published {}: {changes} ({} ms)", short(&self.state.published.digest), took.as_millis());
    }

    fn allow(&mut self, digest: &str) -> Result<(), NotHeld> {
        let (now, policy) = (self.now(), self.options.policy);
        let changes = state::allow(&mut self.state, digest, now, &policy).ok_or(NotHeld)?;
        info!("{} was allowed", short(digest));
        self.publish(&changes, Duration::ZERO);
        self.asked.allowed();
        self.stale = None;
        self.tell(Some(From::Compiled), |status| {
            if let Some(reconcile) = &mut status.reconcile {
                reconcile.outcome = Outcome::Published;
            }
        });
        Ok(())
    }

    fn expire(&mut self) {
        let now = self.now();
        if let Some(changes) = state::expire(&mut self.state, now) {
            self.published.send_replace(Arc::clone(&self.state.published));
            if let Some(keeper) = &self.keeper {
                keeper.keep(&self.state.published);
            }
            info!("what left the mesh is no longer served: {changes}");
            self.tell(None, |_| {});
        }
    }

    fn on_stored(&self, result: Result<(), String>) {
        self.metrics.stored(result.is_ok());
        let error = result.err();
        if let Some(error) = &error
            && self.status.borrow().store_error.as_ref() != Some(error)
        {
            error!("what is served is not kept: {error}");
        }
        self.status.send_modify(|status| status.store_error = error);
    }

    /// What is served and what is held, where it is from if that is known anew, and one change more: all at once, so that
    /// nobody sees a half of it.
    fn tell(&self, from: Option<From>, change: impl FnOnce(&mut Status)) {
        let published = &self.state.published;
        let (proxies, resources) = (published.views().count(), published.resources());
        self.status.send_modify(|status| {
            let before = status.serving.take();
            let since = before.as_ref().filter(|serving| serving.digest == published.digest);
            let since = since.map_or_else(Seconds::now, |serving| serving.since);
            let from = from.or(before.map(|serving| serving.from)).unwrap_or(From::Compiled);
            let digest = published.digest.clone();
            status.serving = (proxies > 0).then_some(Serving { digest, since, from, proxies, resources });
            status.stale = self.stale.clone().or_else(|| self.trouble.clone());
            status.tombstones = published.tombstones().len();
            let before = status.held.take();
            status.held = self.state.held.as_ref().map(|held| {
                let (digest, edit) = (held.digest.clone(), held.edit());
                let same = |before: &Held| before.digest == digest || (edit.is_some() && before.edit == edit);
                let since = before.filter(same).map_or_else(Seconds::now, |it| it.since);
                Held { digest, edit, since, reason: held.reason() }
            });
            change(status);
        });
        let status = self.status.borrow();
        self.metrics.stale(status.stale.is_some());
        self.metrics.held(status.held.is_some());
    }
}

/// Everything that takes time, apart from the task.
async fn look<C: Compile>(files: Files, compile: Arc<C>, earlier: Before, time: Duration, began: Instant) -> Looked {
    let begun = Instant::now();
    let known = files.known();
    let reading = if earlier.why == Why::Poll { Span::none() } else { info_span!("read") };
    let before = files.clone().digests(known).instrument(reading).await;
    if earlier.compiled.as_ref() == Some(&before) {
        return Looked::Same;
    }
    let unreported = earlier.why == Why::Poll || earlier.candidate.is_some();
    if unreported && earlier.candidate.as_ref() != Some(&before) {
        return Looked::Different(before);
    }
    let compiling = tokio::spawn(async move { compile.compile().await }.instrument(info_span!("compile")));
    let abort = compiling.abort_handle();
    let mut attempt = match tokio::time::timeout(time, compiling).await {
        Ok(Ok(attempt)) => attempt,
        Ok(Err(error)) => crashed(Failure::Crashed(panic_words(error))),
        Err(_) => {
            abort.abort();
            crashed(Failure::TimedOut(time))
        }
    };
    if attempt.files.is_empty() {
        // A compiler that crashed cannot tell what it had read: the files of the one before.
        attempt.files.clone_from(&before);
    }
    let paths: Vec<PathBuf> = attempt.files.keys().cloned().collect();
    files.know(paths.clone());
    let after = files.clone().digests(paths.clone()).await;
    let read = &attempt.files;
    // All of one moment: as they are now, or as they were before, if none was written in place meanwhile.
    let were = || attempt.outcome.is_ok() && read.iter().all(|(path, digest)| before.get(path) == Some(digest));
    let whole = if *read == after {
        files.being_written(&paths, began.elapsed()).is_none()
    } else {
        were() && !files.written(&paths)
    };
    if whole { Looked::Attempted(Box::new(attempt), begun.elapsed()) } else { Looked::Overtaken }
}

fn crashed(failure: Failure) -> Attempt {
    let took = [Duration::ZERO; 3];
    Attempt { files: Digests::new(), findings: super::Findings::default(), outcome: Err(failure), took, ecs: None }
}

/// Of everything but what runs: files, flags, and of what was read only from which clusters, for that is what people
/// choose. Nothing where all of it is edited.
fn edited(files: &Digests, options: &Options, ecs: Option<&super::Ecs>) -> Option<[u8; 32]> {
    let observed = options.observed.as_ref()?;
    let mut hasher = Sha256::new();
    for (path, digest) in files.iter().filter(|(path, _)| *path != observed) {
        hasher.update(path.as_os_str().as_encoded_bytes());
        hasher.update([0]);
        hasher.update(digest.unwrap_or_default());
    }
    let words = options.said.iter().map(|word| word.as_encoded_bytes());
    let clusters = ecs.into_iter().flat_map(|ecs| ecs.clusters.iter().map(|arn| arn.as_bytes()));
    // None of them has an empty name.
    for part in words.chain([&[][..]]).chain(clusters) {
        hasher.update(part);
        hasher.update([0]);
    }
    Some(hasher.finalize().into())
}

fn shown(ecs: super::Ecs) -> Ecs {
    let quarantined = ecs.quarantined.into_iter().map(|it| Quarantined { who: it.who, reason: it.reason });
    Ecs { observed: ecs.observed, routable: ecs.routable, quarantined: quarantined.collect() }
}

fn panic_words(error: tokio::task::JoinError) -> String {
    let Ok(payload) = error.try_into_panic() else { return "was stopped".to_owned() };
    let words = payload.downcast_ref::<&str>().map(|words| (*words).to_owned());
    let words = words.or_else(|| payload.downcast_ref::<String>().cloned());
    format!("panicked: {}", words.unwrap_or_default())
}

impl Files {
    fn new(options: &Options, began: Instant) -> Self {
        let rest = Arc::new(Mutex::new(Rest::new(options.patience)));
        let reported = Arc::new(Notify::new());
        let (rest_of_watch, notify) = (Arc::clone(&rest), Arc::clone(&reported));
        let watch = Watch::start(move |signal| {
            lock(&rest_of_watch).on_signal(signal, began.elapsed());
            notify.notify_one();
        });
        let known = Arc::new(Mutex::new(options.sources.clone()));
        Self { rest, reported, tools: Arc::new(Mutex::new((watch, Reader::default()))), known }
    }

    fn known(&self) -> Vec<PathBuf> {
        lock(&self.known).clone()
    }

    fn know(&self, files: Vec<PathBuf>) {
        *lock(&self.known) = files;
    }

    fn signal(&self, signal: Signal, now: Duration) {
        lock(&self.rest).on_signal(signal, now);
    }

    fn due(&self) -> Option<Duration> {
        lock(&self.rest).due()
    }

    fn being_written(&self, files: &[PathBuf], now: Duration) -> Option<PathBuf> {
        let places = places(files);
        lock(&self.rest).being_written(places.files.values().map(PathBuf::as_path), now).map(Into::into)
    }

    /// Whether one of these was written in place since the look began.
    fn written(&self, files: &[PathBuf]) -> bool {
        let places = places(files);
        lock(&self.rest).written(places.files.values().map(PathBuf::as_path))
    }

    /// Watches where these files are, and reads them: in this order, so that no change falls between.
    async fn digests(self, files: Vec<PathBuf>) -> Digests {
        let span = Span::current();
        let read = move || {
            let _entered = span.entered();
            let Places { folders, files: places } = places(&files);
            lock(&self.rest).watch(places.into_values().collect());
            let mut tools = lock(&self.tools);
            let (watch, reader) = &mut *tools;
            watch.folders(&folders);
            reader.digests(&files)
        };
        spawn_blocking(read).await.unwrap_or_default()
    }
}

/// Nothing that holds these locks can leave half a change behind.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn short(digest: &str) -> &str {
    digest.get(..SHORT).unwrap_or(digest)
}

fn beneath(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("\n{}", text.trim_end()) }
}
