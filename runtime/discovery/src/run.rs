//! Reads again and again, and tells what was found: the newest whole observation, and how discovery is.

pub mod status;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use compiler::import::ecs::Wants;
use compiler::observation::{Observation, Task};
use status::{Failing, LastRead, Preserving, Reading, Status};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use crate::api::{Answer, Api, Fault, Kind, Seen};
use crate::back_off::BackOff;
use crate::budget::{Budget, CALLS_PER_SECOND, jittered};
use crate::calls::Calls;
pub use crate::calls::{OnProgress, Progress};
use crate::metrics::Metrics;
use crate::preserve::Preserve;
use crate::read::memory::runs;
use crate::read::{Memory, Whole, read};
use crate::write::Writer;

/// How often to read, and how hard.
#[derive(Clone, Debug)]
pub struct Options {
    /// From the start of a read to the start of the next, a fifth less or more; longer where the budget needs longer.
    pub interval: Duration,
    pub calls_per_second: f64,
    /// What was published before a restart.
    pub known: Option<Observation>,
    /// The file that gets each new observation.
    pub file: Option<PathBuf>,
    /// Of everything that is left to chance.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        let (interval, calls_per_second) = (INTERVAL, CALLS_PER_SECOND);
        Self { interval, calls_per_second, known: None, file: None, seed: fastrand::u64(..) }
    }
}

pub const INTERVAL: Duration = Duration::from_secs(15);
/// No interval is shorter.
pub const LEAST_INTERVAL: Duration = Duration::from_secs(1);

/// Discovery that runs. It ends when this is dropped.
#[derive(Debug)]
pub struct Handle {
    pub status: watch::Receiver<Status>,
    /// The newest observation; none before the first whole read. It changes only when it says something else, and after it
    /// is written.
    pub observed: watch::Receiver<Option<Arc<Observation>>>,
    pub metrics: Metrics,
    orders: mpsc::UnboundedSender<Order>,
    task: JoinHandle<()>,
}

#[derive(Clone, Copy, Debug)]
enum Order {
    Read,
    Release,
}

impl Handle {
    /// Reads now, however long the next read is away.
    pub fn read_now(&self) {
        // It fails only when discovery has ended.
        let _ = self.orders.send(Order::Read);
    }

    /// Lets go what is kept because it vanished in a mass, at the next whole read, which is now.
    pub fn release(&self) {
        let _ = self.orders.send(Order::Release);
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Starts to read: at once, whenever what is wanted changes, and after every interval.
pub fn start<A: Api>(options: Options, api: A, wants: watch::Receiver<Wants>) -> Handle {
    let status = watch::Sender::new(Status { region: api.region(), ..Status::default() });
    let observed = watch::Sender::new(None);
    let (orders, ordered) = mpsc::unbounded_channel();
    let metrics = Metrics::default();
    let (status_of, observed_of) = (status.subscribe(), observed.subscribe());
    let state = State::new(&options, metrics.clone());
    let task = tokio::spawn(run(options, api, state, wants, ordered, Told { status, observed }));
    Handle { status: status_of, observed: observed_of, metrics, orders, task }
}

/// Reads once; a read that fails is not made again.
pub async fn once<A: Api>(
    options: &Options,
    api: &A,
    wants: &Wants,
    progress: OnProgress,
) -> Result<(Observation, Progress), Fault> {
    let mut state = State::new(options, Metrics::default());
    let (answer, made) = state.read(api, wants, progress).await;
    answer.map(|whole| (state.publish(api.region(), &whole), made))
}

struct Told {
    status: watch::Sender<Status>,
    observed: watch::Sender<Option<Arc<Observation>>>,
}

/// What lasts from read to read.
struct State {
    memory: Memory,
    preserve: Preserve,
    budget: Budget,
    back_off: BackOff,
    random: fastrand::Rng,
    metrics: Metrics,
    failing: bool,
}

impl State {
    fn new(options: &Options, metrics: Metrics) -> Self {
        Self {
            memory: options.known.as_ref().map(Memory::of).unwrap_or_default(),
            preserve: Preserve::default(),
            budget: Budget::new(options.calls_per_second),
            back_off: BackOff::default(),
            random: fastrand::Rng::with_seed(options.seed),
            metrics,
            failing: false,
        }
    }

    async fn read<A: Api>(&mut self, api: &A, wants: &Wants, progress: OnProgress) -> (Answer<Whole>, Progress) {
        let mut calls = Calls {
            budget: &mut self.budget,
            random: &mut self.random,
            metrics: &self.metrics,
            progress,
            so_far: Progress::default(),
            probing: self.failing,
        };
        let answer = read(api, wants, &mut self.memory, &mut calls).await;
        let so_far = calls.so_far;
        self.failing = answer.is_err();
        (answer, so_far)
    }

    /// Judges what vanished, and remembers what is known now.
    fn publish(&mut self, region: String, whole: &Whole) -> Observation {
        let before: BTreeMap<String, &Task> =
            self.memory.tasks.known.iter().map(|(arn, known)| (arn.clone(), &known.task)).collect();
        let verdict = self.preserve.judge(&before, &whole.vanished);
        let mut known = whole.seen.clone();
        for (arn, retained) in
            verdict.waiting.iter().map(|arn| (arn, false)).chain(verdict.retained.iter().map(|arn| (arn, true)))
        {
            if let Some(Seen { task, version }) = self.memory.tasks.known.get(arn) {
                known.insert(arn.clone(), Seen { task: Task { retained, ..task.clone() }, version: *version });
            }
        }
        self.memory.published(whole, known);
        observation(region, whole, &self.memory)
    }
}

/// With the task definitions and hosts that its tasks need, and no others.
fn observation(region: String, whole: &Whole, memory: &Memory) -> Observation {
    let tasks: Vec<Task> = memory.tasks.known.values().map(|seen| seen.task.clone()).collect();
    let definitions =
        whole.definitions.iter().filter(|(arn, _)| tasks.iter().any(|task| task.task_definition == **arn));
    let is_host = |arn: &String| tasks.iter().any(|task| task.container_instance.as_ref() == Some(arn));
    let mut observation = Observation {
        region,
        clusters: whole.clusters.clone(),
        task_definitions: definitions.map(|(_, definition)| definition.clone()).collect(),
        container_instances: whole.instances.values().filter(|host| is_host(&host.arn)).cloned().collect(),
        cloud_map: whole.cloud_map.clone(),
        tasks,
    };
    observation.sort();
    observation
}

async fn run<A: Api>(
    options: Options,
    api: A,
    mut state: State,
    mut wants: watch::Receiver<Wants>,
    mut orders: mpsc::UnboundedReceiver<Order>,
    told: Told,
) {
    let mut writer = options.file.clone().map(Writer::new);
    loop {
        let wanted = wants.borrow_and_update().clone();
        let started = Instant::now();
        let progress = progress(told.status.clone());
        let (answer, made) = state.read(&api, &wanted, progress).await;
        let wait = match answer {
            Ok(whole) => {
                let observation = state.publish(api.region(), &whole);
                succeeded(
                    &told,
                    &state,
                    &whole,
                    &observation,
                    LastRead { at: status::now(), seconds: started.elapsed().as_secs_f64(), calls: made.calls },
                );
                state.metrics.read(Some(started.elapsed()));
                publish(&told, writer.as_mut(), observation);
                interval(&options, &mut state, made).saturating_sub(started.elapsed())
            }
            Err(fault) => {
                state.metrics.read(None);
                failed(&told, &fault);
                if fault.kind == Kind::Credentials {
                    api.renew().await;
                }
                state.back_off.failed(Instant::now(), &mut state.random)
            }
        };
        told.status.send_modify(|status| {
            status.reading = None;
            status.next_read = Some(status::now() + wait.as_secs());
            state.metrics.show(status);
        });
        tokio::select! {
            () = sleep_until(Instant::now() + wait) => {}
            // Whoever wanted something has ended; what they wanted last is still read.
            Ok(()) = wants.changed() => {}
            order = orders.recv() => match order {
                Some(Order::Read) => {}
                Some(Order::Release) => state.preserve.release(),
                None => return,
            },
        }
    }
}

/// Tells the status of every call of a read.
fn progress(status: watch::Sender<Status>) -> OnProgress {
    let (calls, throttled) = (status.borrow().calls, status.borrow().throttled);
    Arc::new(move |so_far| {
        status.send_modify(|status| {
            status.reading = Some(Reading { calls: so_far.calls, tasks: so_far.tasks });
            status.calls = calls + so_far.calls;
            status.throttled = throttled + so_far.throttled;
        });
    })
}

/// The time to the next read; longer if calls are not made faster than that.
fn interval(options: &Options, state: &mut State, made: Progress) -> Duration {
    let interval = options.interval.max(LEAST_INTERVAL);
    jittered(interval, &mut state.random).max(state.budget.time_of(made.calls, Instant::now()))
}

fn succeeded(told: &Told, state: &State, whole: &Whole, observation: &Observation, read: LastRead) {
    let reason = state.preserve.reason().map(str::to_owned);
    if let (Some(reason), None) = (&reason, &told.status.borrow().preserving) {
        tracing::warn!(reason, "tasks that vanished are kept");
    }
    if told.status.borrow().failing.is_some() {
        tracing::info!(calls = read.calls, "ECS is read again");
    }
    for family in &whole.unread {
        tracing::warn!(family, "a task definition cannot be read: tasks of it are left out");
    }
    told.status.send_modify(|status| {
        let since = status.preserving.as_ref().map_or(read.at, |preserving| preserving.since);
        status.clusters = observation.clusters.iter().map(|cluster| cluster.name.clone()).collect();
        status.last_read = Some(read);
        status.tasks = observation.tasks.len();
        status.running = observation.tasks.iter().filter(|task| runs(task)).count();
        status.retained = observation.tasks.iter().filter(|task| task.retained).count();
        status.preserving = reason.map(|reason| Preserving { since, reason });
        status.failing = None;
        status.unread = whole.unread.iter().cloned().collect();
    });
}

fn failed(told: &Told, fault: &Fault) {
    let credentials = fault.kind == Kind::Credentials;
    tracing::warn!(%fault, credentials, "a read is abandoned: what was known stays");
    told.status.send_modify(|status| {
        let before = status.failing.take();
        status.failing = Some(Failing {
            since: before.as_ref().map_or_else(status::now, |before| before.since),
            reads: before.map_or(0, |before| before.reads) + 1,
            error: fault.to_string(),
            credentials,
        });
    });
}

fn publish(told: &Told, writer: Option<&mut Writer>, observation: Observation) {
    let written = writer.map_or(Ok(false), |writer| writer.write(&observation));
    if let Err(error) = &written {
        tracing::warn!(%error, "the observation cannot be written");
    }
    told.status.send_modify(|status| status.unwritten = written.err().map(|error| error.to_string()));
    told.observed.send_if_modified(|observed| {
        let news = observed.as_deref() != Some(&observation);
        if news {
            *observed = Some(Arc::new(observation));
        }
        news
    });
}
