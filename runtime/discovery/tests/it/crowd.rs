//! Three replicas poll three thousand tasks out of one account's bucket of calls.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::running::{run, until};
use crate::world::World;

/// What came of it.
#[derive(Debug)]
pub struct Crowd {
    pub calls: u64,
    pub throttled: u64,
    /// Times that a task which ran all the while was not published.
    pub lost: usize,
    /// From a change of a task to its publication by a replica, in order.
    pub staleness: Vec<Duration>,
}

/// A task is replaced every two seconds.
pub async fn crowd(tasks: u32, replicas: u64, minutes: u64) -> Crowd {
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
                let shown: Vec<_> = waiting.keys().filter(|(arn, is)| published.contains(arn.as_str()) == *is).cloned().collect();
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

#[tokio::test(start_paused = true)]
async fn three_replicas_share_one_bucket_of_calls() {
    let crowd = crowd(3_000, 3, 10).await;
    assert!(crowd.throttled * 100 <= crowd.calls, "{} of {}", crowd.throttled, crowd.calls);
    assert_eq!(crowd.lost, 0);
    let p99 = crowd.staleness[crowd.staleness.len() * 99 / 100];
    assert!(p99 <= Duration::from_secs(36), "{p99:?}");
}

#[tokio::test(start_paused = true)]
async fn a_poll_makes_two_calls_for_a_hundred_tasks() {
    for tasks in [100, 1_000, 3_000] {
        let world = World::of(tasks);
        let (mut handle, _wants) = run(&world, 1);
        until(&mut handle, |status| status.last_read.is_some() && status.reading.is_none()).await;
        until(&mut handle, |status| status.reading.is_some()).await;
        let status = until(&mut handle, |status| status.reading.is_none()).await;
        assert_eq!(status.last_read.unwrap().calls, u64::from(tasks) / 50, "{tasks} tasks");
    }
}
