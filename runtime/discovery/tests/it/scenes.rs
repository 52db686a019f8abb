//! What happens to discovery that runs, on the clock of the test: outages, and replicas that share a bucket of calls.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use compiler::import::ecs::Wants;
use discovery::run::status::Failing;
use discovery::{Handle, Options, Status, start};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use crate::world::{How, World};

pub(crate) const OUTAGE: Duration = Duration::from_secs(600);

pub(crate) fn run(world: &World, seed: u64) -> (Handle, watch::Sender<Wants>) {
    let wants = watch::Sender::new(Wants::default());
    (start(Options { seed, ..Options::default() }, world.clone(), wants.subscribe()), wants)
}

/// Waits for a status; on the clock of the test.
pub(crate) async fn until(handle: &mut Handle, is: impl FnMut(&Status) -> bool) -> Status {
    let waited = timeout(Duration::from_secs(7_200), handle.status.wait_for(is)).await;
    waited.expect("it never came").expect("discovery has ended").clone()
}

pub(crate) fn tasks(handle: &Handle) -> usize {
    handle.observed.borrow().as_ref().map_or(0, |observed| observed.tasks.len())
}

/// What came of an outage.
#[derive(Debug)]
pub(crate) struct Outage {
    /// Tasks that were still published at its end.
    pub(crate) retained: usize,
    /// Whether anything else was published meanwhile.
    pub(crate) changed: bool,
    pub(crate) calls: u64,
    pub(crate) failing: Option<Failing>,
    /// From its end to the end of the next whole read.
    pub(crate) recovery: Duration,
}

/// Every call fails for ten minutes.
pub(crate) async fn outage(tasks_before: u32, how: How, seed: u64) -> Outage {
    let world = World::of(tasks_before);
    let (mut handle, _wants) = run(&world, seed);
    until(&mut handle, |status| status.last_read.is_some()).await;
    world.change(|state| state.failing = Some(how));
    let before = world.calls();
    handle.observed.mark_unchanged();
    sleep(OUTAGE).await;
    let (retained, changed) = (tasks(&handle), handle.observed.has_changed().unwrap());
    let (calls, failing) = (world.calls() - before, handle.status.borrow().failing.clone());
    world.change(|state| state.failing = None);
    let over = Instant::now();
    until(&mut handle, |status| status.failing.is_none()).await;
    Outage { retained, changed, calls, failing, recovery: over.elapsed() }
}

/// What came of replicas that poll out of one bucket.
#[derive(Debug)]
pub(crate) struct Crowd {
    pub(crate) calls: u64,
    pub(crate) throttled: u64,
    /// Times that a task which ran all the while was not published.
    pub(crate) lost: usize,
    /// From a change of a task to its publication by a replica, in order.
    pub(crate) staleness: Vec<Duration>,
}

/// Replicas poll tasks of which one is replaced every two seconds.
pub(crate) async fn crowd(tasks: u32, replicas: u64, minutes: u64) -> Crowd {
    let world = World::of(tasks);
    world.bucket(20.0, 100.0);
    let mut handles: Vec<_> = (0..replicas).map(|seed| run(&world, seed)).collect();
    for (handle, _) in &mut handles {
        until(handle, |status| status.last_read.is_some()).await;
    }
    let (started, mut lost, mut staleness) = (Instant::now(), 0, Vec::new());
    // What each replica has not published yet: tasks that started, and tasks that stopped.
    let mut waiting: Vec<BTreeMap<(String, bool), Instant>> = vec![BTreeMap::new(); handles.len()];
    let steady: BTreeSet<String> = world.running().into_iter().skip(tasks as usize / 2).collect();
    while started.elapsed() < Duration::from_secs(60 * minutes) {
        sleep(Duration::from_secs(2)).await;
        let old = world.running().pop_first().unwrap();
        world.stop(&old);
        let new = world.start("s0");
        for ((handle, _), waiting) in handles.iter_mut().zip(&mut waiting) {
            if handle.observed.has_changed().unwrap() {
                let observed = handle.observed.borrow_and_update().clone().unwrap();
                let published: BTreeSet<&str> = observed.tasks.iter().map(|task| task.arn.as_str()).collect();
                lost += steady.iter().filter(|arn| !published.contains(arn.as_str())).count();
                let shown: Vec<_> =
                    waiting.keys().filter(|(arn, is)| published.contains(arn.as_str()) == *is).cloned().collect();
                staleness.extend(shown.iter().filter_map(|key| waiting.remove(key)).map(|since| since.elapsed()));
            }
            waiting.insert((old.clone(), false), Instant::now());
            waiting.insert((new.clone(), true), Instant::now());
        }
    }
    staleness.extend(waiting.into_iter().flatten().map(|(_, since)| since.elapsed()));
    staleness.sort();
    Crowd { calls: world.calls(), throttled: world.change(|state| state.throttled), lost, staleness }
}
