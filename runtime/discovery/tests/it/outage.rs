//! AWS fails for ten minutes, in every way: nothing is lost, few calls are made, and the end of it is seen soon.

use std::time::Duration;

use discovery::api::Kind;
use tokio::time::sleep;

use crate::scenes::{OUTAGE, outage, run, until};
use crate::world::{How, World};

/// One interval with its jitter, the longest wait after a failure, and the read itself.
const RECOVERY: Duration = Duration::from_secs(18 + 30 + 5);

#[tokio::test(start_paused = true)]
async fn ten_minutes_of_every_fault_lose_nothing() {
    let kinds =
        [Kind::Throttled, Kind::Unavailable, Kind::Timeout, Kind::Connection, Kind::Unusable, Kind::Credentials];
    for (seed, how) in kinds.map(How::With).into_iter().chain([How::Silence]).enumerate() {
        let outage = outage(500, how, seed as u64).await;
        assert_eq!((outage.retained, outage.changed), (500, false), "{how:?}");
        assert!((15..=45).contains(&outage.calls), "{how:?}: {} calls", outage.calls);
        let failing = outage.failing.unwrap();
        assert_eq!(failing.credentials, how == How::With(Kind::Credentials), "{how:?}");
        assert!(failing.reads >= 10, "{how:?}: {failing:?}");
        assert!(outage.recovery <= RECOVERY, "{how:?}: {:?}", outage.recovery);
    }
}

#[tokio::test(start_paused = true)]
async fn refused_credentials_are_an_alarm_of_their_own_and_are_loaded_anew() {
    let world = World::of(10);
    let (mut handle, _wants) = run(&world, 1);
    until(&mut handle, |status| status.running == 10).await;
    world.change(|state| state.failing = Some(How::With(Kind::Credentials)));
    let status = until(&mut handle, |status| status.failing.as_ref().is_some_and(|it| it.reads == 3)).await;
    assert_eq!(status.alarms(), ["AWS does not take the credentials (ListTasks: as the test says)"]);
    assert!(world.change(|state| state.renewed) >= 2);
}

#[tokio::test(start_paused = true)]
async fn one_call_in_ten_that_fails_does_not_keep_reads_from_being_whole() {
    let world = World::of(1_000);
    world.change(|state| {
        let mut number = 0;
        state.page = Some(Box::new(move |_, page| {
            number += 1;
            match number % 10 {
                0 => Err(discovery::api::Fault::new(Kind::Unavailable, "ListTasks", "as the test says")),
                _ => Ok(page),
            }
        }));
    });
    let (mut handle, _wants) = run(&world, 1);
    until(&mut handle, |status| status.running == 1_000).await;
    sleep(OUTAGE).await;
    assert!(handle.status.borrow().failing.is_none());
    assert!(world.change(|state| state.calls["DescribeTasks"]) >= 10 * 30);
}
