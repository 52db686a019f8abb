//! Reads again and again, and tells what was found: the newest whole observation, and how discovery is.

pub mod reader;
pub mod status;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use compiler::import::ecs::Wants;
use compiler::observation::Observation;
use reader::{Moment, Reader};
use status::{Failing, LastRead, Preserving, Reading, Status};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use crate::api::{Api, Fault, Kind};
use crate::budget::{CALLS_PER_SECOND, jittered};
pub use crate::calls::{OnProgress, Progress};
use crate::metrics::Metrics;
use crate::read::memory::runs;
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
    let (status_of, observed_of) = (status.subscribe(), observed.subscribe());
    let reader = Reader::new(&options);
    let metrics = reader.metrics.clone();
    let task = tokio::spawn(run(options, api, reader, wants, ordered, Told { status, observed }));
    Handle { status: status_of, observed: observed_of, metrics, orders, task }
}

struct Told {
    status: watch::Sender<Status>,
    observed: watch::Sender<Option<Arc<Observation>>>,
}

async fn run<A: Api>(
    options: Options,
    api: A,
    mut reader: Reader,
    mut wants: watch::Receiver<Wants>,
    mut orders: mpsc::UnboundedReceiver<Order>,
    told: Told,
) {
    let mut writer = options.file.clone().map(Writer::new);
    loop {
        let wanted = wants.borrow_and_update().clone();
        let started = Instant::now();
        let progress = progress(told.status.clone());
        let (answer, made) = reader.read(&api, &wanted, progress).await;
        let wait = match answer {
            Ok(moment) => {
                let (at, took) = (status::now(), started.elapsed());
                reader.metrics.read(Some(took));
                succeeded(&told, &reader, &moment, LastRead { at, seconds: took.as_secs_f64(), calls: made.calls });
                publish(&told, writer.as_mut(), moment.observation);
                interval(&options, &mut reader, made).saturating_sub(started.elapsed())
            }
            Err(fault) => {
                reader.metrics.read(None);
                failed(&told, &fault);
                if fault.kind == Kind::Credentials {
                    api.renew().await;
                }
                reader.back_off.failed(Instant::now(), &mut reader.random)
            }
        };
        told.status.send_modify(|status| {
            status.reading = None;
            status.next_read = Some(status::now() + wait.as_secs());
            reader.metrics.show(status);
        });
        tokio::select! {
            () = sleep_until(Instant::now() + wait) => {}
            // Whoever wanted something has ended; what they wanted last is still read.
            Ok(()) = wants.changed() => {}
            order = orders.recv() => match order {
                Some(Order::Read) => {}
                Some(Order::Release) => reader.preserve.release(),
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
fn interval(options: &Options, reader: &mut Reader, made: Progress) -> Duration {
    let interval = options.interval.max(LEAST_INTERVAL);
    jittered(interval, &mut reader.random).max(reader.budget.time_of(made.calls, Instant::now()))
}

fn succeeded(told: &Told, reader: &Reader, moment: &Moment, read: LastRead) {
    let observation = &moment.observation;
    let reason = reader.preserve.reason().map(str::to_owned);
    if let (Some(reason), None) = (&reason, &told.status.borrow().preserving) {
        tracing::warn!(reason, "tasks that vanished are kept");
    }
    if told.status.borrow().failing.is_some() {
        tracing::info!(calls = read.calls, "ECS is read again");
    }
    for family in &moment.unread {
        tracing::warn!(family, "a task definition cannot be read: tasks of it are left out");
    }
    for line in moment.missing.iter().filter(|line| !told.status.borrow().missing.contains(line)) {
        tracing::warn!("{line}");
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
        status.unread = moment.unread.iter().cloned().collect();
        status.missing = moment.missing.iter().cloned().collect();
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
