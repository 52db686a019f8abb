//! Three replicas poll three thousand tasks out of one account's bucket of calls.

use std::time::Duration;

use crate::scenes::{crowd, run, until};
use crate::world::World;

#[tokio::test(start_paused = true)]
async fn three_replicas_share_one_bucket_of_calls() {
    let crowd = crowd(3_000, 3, 5).await;
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
