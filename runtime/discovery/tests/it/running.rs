//! Discovery that runs: what it publishes, when, and what it says of itself.

use std::time::Duration;

use compiler::import::ecs::Wants;
use discovery::{Handle, Options, start};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::scenes::{run, tasks, until};
use crate::world::World;

async fn reads(handle: &mut Handle, count: u32) {
    for _ in 0..count {
        handle.read_now();
        until(handle, |status| status.reading.is_some()).await;
        until(handle, |status| status.reading.is_none()).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_mass_that_vanishes_is_kept_until_three_reads_agree() {
    let world = World::of(100);
    let (mut handle, _wants) = run(&world, 1);
    until(&mut handle, |status| status.running == 100).await;
    let lost: Vec<String> = world.running().into_iter().take(40).collect();
    lost.iter().for_each(|arn| world.forget(arn));
    for _ in 0..2 {
        reads(&mut handle, 1).await;
        let status = handle.status.borrow().clone();
        assert_eq!((status.retained, tasks(&handle)), (40, 100));
        let reason = "tasks are kept: 40 of 100 running tasks vanished, and ECS does not say that they stopped";
        assert_eq!(status.alarms(), [reason]);
    }
    reads(&mut handle, 1).await;
    assert_eq!((handle.status.borrow().retained, tasks(&handle)), (0, 60));
    assert_eq!(handle.status.borrow().alarms(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn an_operator_releases_a_mass_at_once() {
    let world = World::of(100);
    let (mut handle, _wants) = run(&world, 1);
    until(&mut handle, |status| status.running == 100).await;
    world.change(|state| state.tasks.clear());
    until(&mut handle, |status| status.preserving.is_some()).await;
    assert_eq!(tasks(&handle), 100);
    let asked = Instant::now();
    handle.release();
    until(&mut handle, |status| status.preserving.is_none()).await;
    assert_eq!(tasks(&handle), 0);
    assert!(asked.elapsed() < Duration::from_secs(2));
}

#[tokio::test(start_paused = true)]
async fn a_mass_that_stops_is_believed_at_once() {
    let world = World::of(100);
    let (mut handle, _wants) = run(&world, 1);
    until(&mut handle, |status| status.running == 100).await;
    world.running().iter().for_each(|arn| world.stop(arn));
    reads(&mut handle, 1).await;
    assert_eq!((tasks(&handle), handle.status.borrow().alarms().len()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn what_is_wanted_is_read_at_once_when_it_changes() {
    let world = World::of(10);
    let (mut handle, wants) = run(&world, 1);
    until(&mut handle, |status| status.running == 10).await;
    let asked = Instant::now();
    wants.send_replace(Wants {
        cloud_map: [("n".to_owned(), "s".to_owned())].into(),
        clusters: ["*".to_owned()].into(),
    });
    handle.observed.wait_for(|observed| observed.as_ref().is_some_and(|it| it.cloud_map.len() == 1)).await.unwrap();
    assert!(asked.elapsed() < Duration::from_secs(2));
}

#[tokio::test(start_paused = true)]
async fn what_is_missing_is_an_alarm_until_it_is_there() {
    let world = World::of(10);
    let (mut handle, wants) = run(&world, 1);
    let clusters = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    wants.send_replace(Wants { clusters: clusters(&["default", "prod"]), ..Wants::default() });
    let status = until(&mut handle, |status| !status.missing.is_empty()).await;
    assert_eq!((status.running, status.alarms()), (10, vec!["no cluster is called `prod`".to_owned()]));
    wants.send_replace(Wants { clusters: clusters(&["default"]), ..Wants::default() });
    until(&mut handle, |status| status.last_read.is_some() && status.alarms().is_empty()).await;
}

#[tokio::test(start_paused = true)]
async fn nothing_is_told_when_nothing_changed() {
    let world = World::of(10);
    let (mut handle, _wants) = run(&world, 1);
    handle.observed.changed().await.unwrap();
    handle.observed.mark_unchanged();
    reads(&mut handle, 5).await;
    assert!(!handle.observed.has_changed().unwrap());
}

#[tokio::test(start_paused = true)]
async fn the_interval_is_longer_where_the_budget_needs_longer() {
    let world = World::of(3_000);
    let wants = watch::channel(Wants::default()).1;
    let interval = Duration::from_secs(1);
    let handle = start(Options { seed: 1, interval, ..Options::default() }, world.clone(), wants);
    tokio::time::sleep(Duration::from_secs(600)).await;
    let rate = world.calls() as f64 / 600.0;
    assert!((4.0..=5.05).contains(&rate), "{rate}");
    assert_eq!(handle.status.borrow().throttled, 0);
}

#[tokio::test(start_paused = true)]
async fn what_is_published_is_written_and_metrics_tell() {
    let (world, folder) = (World::of(10), tempfile::tempdir().unwrap());
    let file = folder.path().join("observed.json");
    let wants = watch::channel(Wants::default()).1;
    let mut handle = start(Options { file: Some(file.clone()), ..Options::default() }, world.clone(), wants);
    let observed = handle.observed.wait_for(Option::is_some).await.unwrap().clone().unwrap();
    assert_eq!(std::fs::read_to_string(file).unwrap(), compiler::observation::text::write(&observed));
    until(&mut handle, |status| status.next_read.is_some()).await;

    let mut registry = prometheus_client::registry::Registry::with_prefix("meshwright");
    handle.metrics.register(&mut registry);
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
    for line in [
        "meshwright_discovery_calls_total{action=\"DescribeTasks\",result=\"ok\"} 1",
        "meshwright_discovery_reads_total{outcome=\"whole\"} 1",
        "meshwright_discovery_tasks{state=\"running\"} 10",
        "meshwright_discovery_preserving 0",
        "meshwright_discovery_credentials_failing 0",
    ] {
        assert!(text.lines().any(|it| it == line), "{line} in\n{text}");
    }
}
