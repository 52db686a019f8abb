//! Events come twice, late and in any order: with them, all ends as with polling alone.

use discovery::events::{Applied, apply};
use proptest::prelude::*;

use crate::moments::{arns, read, reader};
use crate::world::World;

/// What happens to one of the tasks.
#[derive(Clone, Copy, Debug)]
enum Change {
    Unhealthy(usize),
    Healthy(usize),
    Stopping(usize),
    Stopped(usize),
}

/// Changes the world; the event that ECS sends about it.
fn happen(world: &World, change: Change) -> Option<String> {
    let (Change::Unhealthy(task) | Change::Healthy(task) | Change::Stopping(task) | Change::Stopped(task)) = change;
    world.change(|state| {
        let count = state.tasks.len();
        let seen = state.tasks.values_mut().nth(task % count)?;
        if seen.task.last_status == "STOPPED" {
            return None;
        }
        seen.version += 1;
        match change {
            Change::Unhealthy(_) => seen.task.health_status = "UNHEALTHY".to_owned(),
            Change::Healthy(_) => seen.task.health_status = "HEALTHY".to_owned(),
            Change::Stopping(_) => {
                seen.task.desired_status = "STOPPED".to_owned();
                seen.task.last_status = "DEACTIVATING".to_owned();
            }
            Change::Stopped(_) => {
                seen.task.desired_status = "STOPPED".to_owned();
                seen.task.last_status = "STOPPED".to_owned();
            }
        }
        Some(event(&seen.task, seen.version))
    })
}

fn event(task: &compiler::observation::Task, version: u64) -> String {
    serde_json::json!({
        "detail-type": "ECS Task State Change",
        "detail": {
            "taskArn": task.arn, "version": version, "lastStatus": task.last_status,
            "desiredStatus": task.desired_status, "healthStatus": task.health_status,
            "containers": [{ "name": "app" }],
        },
    })
    .to_string()
}

fn changes() -> impl Strategy<Value = Vec<(Change, bool)>> {
    let change = (0..4_u8, 0..20_usize).prop_map(|(kind, task)| match kind {
        0 => Change::Unhealthy(task),
        1 => Change::Healthy(task),
        2 => Change::Stopping(task),
        _ => Change::Stopped(task),
    });
    proptest::collection::vec((change, any::<bool>()), 0..40)
}

fn virtual_time<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(future)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn events_and_polls_end_as_polls_alone(changes in changes(), order in any::<u64>()) {
        let (alone, with_events) = virtual_time(async {
            let world = World::of(20);
            let (mut alone, mut with_events) = (reader(), reader());
            read(&mut alone, &world).await.unwrap();
            read(&mut with_events, &world).await.unwrap();
            let mut random = fastrand::Rng::with_seed(order);
            let mut late: Vec<String> = Vec::new();
            for (change, poll) in changes {
                late.extend(happen(&world, change).into_iter().flat_map(|event| vec![event; 10]));
                // Some come now, in any order; the others much later.
                random.shuffle(&mut late);
                let now = random.usize(..=late.len());
                for event in late.split_off(now) {
                    apply(&mut with_events.memory.tasks, &event).unwrap();
                }
                if poll {
                    read(&mut alone, &world).await.unwrap();
                    read(&mut with_events, &world).await.unwrap();
                }
            }
            // ECS forgets what has stopped, and the last events come.
            world.change(|state| state.tasks.retain(|_, seen| seen.task.last_status != "STOPPED"));
            for event in late {
                apply(&mut with_events.memory.tasks, &event).unwrap();
            }
            let (mut last_alone, mut last) = Default::default();
            for _ in 0..4 {
                last_alone = read(&mut alone, &world).await.unwrap().observation;
                last = read(&mut with_events, &world).await.unwrap().observation;
            }
            (last_alone, last)
        });
        prop_assert_eq!(alone, with_events);
    }

    #[test]
    fn no_event_panics(event in ".{0,200}") {
        let _ = apply(&mut Default::default(), &event);
    }
}

#[tokio::test(start_paused = true)]
async fn a_late_event_does_not_bring_a_task_back() {
    let (world, mut reader) = (World::of(20), reader());
    read(&mut reader, &world).await.unwrap();
    let first = world.running().pop_first().unwrap();
    let late = happen(&world, Change::Unhealthy(0)).unwrap();
    happen(&world, Change::Stopped(0)).unwrap();
    read(&mut reader, &world).await.unwrap();
    assert_eq!(apply(&mut reader.memory.tasks, &late).unwrap(), Applied::Nothing);
    assert!(!arns(&read(&mut reader, &world).await.unwrap()).contains(&first));
}

#[tokio::test(start_paused = true)]
async fn an_event_is_news_before_the_poll_and_older_answers_do_not_undo_it() {
    let (world, mut reader) = (World::of(20), reader());
    read(&mut reader, &world).await.unwrap();
    let first = world.running().pop_first().unwrap();
    let before = world.change(|state| state.tasks[&first].clone());
    let stopped = happen(&world, Change::Stopped(0)).unwrap();
    world.change(|state| state.tasks.insert(first.clone(), before));
    assert_eq!(apply(&mut reader.memory.tasks, &stopped).unwrap(), Applied::Known);
    assert_eq!(apply(&mut reader.memory.tasks, &stopped).unwrap(), Applied::Nothing);
    assert!(!arns(&read(&mut reader, &world).await.unwrap()).contains(&first));
}
