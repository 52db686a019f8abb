//! Single reads: whole or not at all, whatever AWS answers.

use std::collections::BTreeSet;
use std::sync::Arc;

use compiler::import::ecs::Wants;
use discovery::api::{Answer, Fault, Kind};
use discovery::{Moment, Options, Reader};

use crate::world::World;

pub(crate) fn reader() -> Reader {
    Reader::new(&Options { seed: 7, calls_per_second: 1_000.0, ..Options::default() })
}

pub(crate) async fn read(reader: &mut Reader, world: &World) -> Answer<Moment> {
    reader.read(world, &Wants::default(), Arc::new(|_| ())).await.0
}

pub(crate) fn arns(moment: &Moment) -> BTreeSet<String> {
    moment.observation.tasks.iter().map(|task| task.arn.clone()).collect()
}

fn failing(kind: Kind, action: &'static str) -> Fault {
    Fault::new(kind, action, "as the test says")
}

#[tokio::test(start_paused = true)]
async fn every_task_of_every_page_is_read() {
    let (world, mut reader) = (World::of(450), reader());
    let moment = read(&mut reader, &world).await.unwrap();
    assert_eq!(arns(&moment), world.running());
    assert_eq!(moment.observation.task_definitions.len(), 9);
}

#[tokio::test(start_paused = true)]
async fn a_page_that_fails_leaves_what_was_known() {
    let (world, mut reader) = (World::of(450), reader());
    let before = arns(&read(&mut reader, &world).await.unwrap());
    let kinds = [Kind::Unavailable, Kind::Throttled, Kind::Refused, Kind::Denied];
    for kind in kinds {
        world.change(|state| {
            state.page = Some(Box::new(move |number, page| match number {
                1 => Err(failing(kind, "ListTasks")),
                _ => Ok(page),
            }));
        });
        assert_eq!(read(&mut reader, &world).await.unwrap_err().kind, kind);
    }
    world.change(|state| state.page = None);
    assert_eq!(arns(&read(&mut reader, &world).await.unwrap()), before);
}

#[tokio::test(start_paused = true)]
async fn a_page_that_fails_once_is_asked_for_again() {
    let (world, mut reader) = (World::of(450), reader());
    let mut failed = false;
    world.change(|state| {
        state.page = Some(Box::new(move |number, page| match number {
            3 if !std::mem::replace(&mut failed, true) => Err(failing(Kind::Unavailable, "ListTasks")),
            _ => Ok(page),
        }));
    });
    assert_eq!(arns(&read(&mut reader, &world).await.unwrap()), world.running());
}

#[tokio::test(start_paused = true)]
async fn pages_that_follow_themselves_end() {
    let (world, mut reader) = (World::of(450), reader());
    world.change(|state| {
        state.page = Some(Box::new(|number, mut page| {
            page.next = Some((number % 3).to_string());
            Ok(page)
        }));
    });
    let fault = read(&mut reader, &world).await.unwrap_err();
    assert_eq!(fault.to_string(), "ListTasks: the same page follows again and again");
    assert!(world.calls() < 10, "{}", world.calls());
}

#[tokio::test(start_paused = true)]
async fn pages_without_end_end() {
    let (world, mut reader) = (World::of(1), reader());
    world.change(|state| {
        state.page = Some(Box::new(|number, mut page| {
            page.next = Some((number + 1).to_string());
            Ok(page)
        }));
    });
    assert_eq!(read(&mut reader, &world).await.unwrap_err().to_string(), "ListTasks: the list has no end");
}

#[tokio::test(start_paused = true)]
async fn a_list_whose_token_expires_is_read_again_once() {
    let (world, mut reader) = (World::of(450), reader());
    for (times, whole) in [(1, true), (2, false)] {
        let mut left = times;
        world.change(|state| {
            state.page = Some(Box::new(move |number, page| {
                if number == 2 && left > 0 {
                    left -= 1;
                    return Err(failing(Kind::PageExpired, "ListTasks"));
                }
                Ok(page)
            }));
        });
        assert_eq!(read(&mut reader, &world).await.is_ok(), whole, "{times}");
    }
}

#[tokio::test(start_paused = true)]
async fn tasks_that_are_listed_twice_are_there_once() {
    let (world, mut reader) = (World::of(150), reader());
    world.change(|state| {
        state.page = Some(Box::new(|_, mut page| {
            page.arns.extend(page.arns.clone());
            Ok(page)
        }));
    });
    assert_eq!(read(&mut reader, &world).await.unwrap().observation.tasks.len(), 150);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_lacks_tasks_is_none() {
    let (world, mut reader) = (World::of(150), reader());
    world.change(|state| {
        state.described = Some(Box::new(|mut described| {
            described.tasks.pop();
            described
        }));
    });
    let fault = read(&mut reader, &world).await.unwrap_err();
    assert_eq!(fault.to_string(), "DescribeTasks: the answer lacks 1 of 100 tasks");
}

#[tokio::test(start_paused = true)]
async fn stopping_is_seen_though_it_is_not_listed_and_is_believed_at_once() {
    let (world, mut reader) = (World::of(10), reader());
    read(&mut reader, &world).await.unwrap();
    let first: Vec<String> = world.running().into_iter().take(9).collect();
    first.iter().for_each(|arn| world.stop(arn));
    assert_eq!(arns(&read(&mut reader, &world).await.unwrap()), world.running());
    let calls = world.change(|state| state.calls["DescribeTasks"]);
    read(&mut reader, &world).await.unwrap();
    assert_eq!(world.change(|state| state.calls["DescribeTasks"]), calls + 1);
}

#[tokio::test(start_paused = true)]
async fn a_task_that_is_ending_is_told_as_ending() {
    let (world, mut reader) = (World::of(10), reader());
    read(&mut reader, &world).await.unwrap();
    let first = world.running().pop_first().unwrap();
    world.change(|state| {
        let seen = state.tasks.get_mut(&first).unwrap();
        (seen.task.last_status, seen.task.desired_status) = ("DEACTIVATING".to_owned(), "STOPPED".to_owned());
    });
    let moment = read(&mut reader, &world).await.unwrap();
    let task = moment.observation.tasks.iter().find(|task| task.arn == first).unwrap();
    assert_eq!((task.last_status.as_str(), task.desired_status.as_str()), ("DEACTIVATING", "STOPPED"));
}

#[tokio::test(start_paused = true)]
async fn a_missing_task_is_gone_in_the_second_read() {
    let (world, mut reader) = (World::of(20), reader());
    let before = arns(&read(&mut reader, &world).await.unwrap());
    let first = world.running().pop_first().unwrap();
    world.forget(&first);
    let moment = read(&mut reader, &world).await.unwrap();
    assert_eq!(arns(&moment), before);
    assert!(moment.observation.tasks.iter().all(|task| !task.retained));
    assert_eq!(arns(&read(&mut reader, &world).await.unwrap()), world.running());
}

#[tokio::test(start_paused = true)]
async fn a_task_that_is_listed_and_not_yet_known_to_others_is_left_out() {
    let (world, mut reader) = (World::of(5), reader());
    world.change(|state| {
        state.page = Some(Box::new(|_, mut page| {
            page.arns.push("arn:aws:ecs:eu-central-1:1:task/default/new".to_owned());
            Ok(page)
        }));
    });
    assert_eq!(arns(&read(&mut reader, &world).await.unwrap()), world.running());
}

#[tokio::test(start_paused = true)]
async fn answers_older_than_what_is_known_change_nothing() {
    let (world, mut reader) = (World::of(2), reader());
    let first = world.running().pop_first().unwrap();
    world.change(|state| {
        let seen = state.tasks.get_mut(&first).unwrap();
        (seen.version, seen.task.health_status) = (5, "UNHEALTHY".to_owned());
    });
    read(&mut reader, &world).await.unwrap();
    world.change(|state| {
        let seen = state.tasks.get_mut(&first).unwrap();
        (seen.version, seen.task.health_status) = (4, "HEALTHY".to_owned());
    });
    let moment = read(&mut reader, &world).await.unwrap();
    assert_eq!(moment.observation.tasks[0].health_status, "UNHEALTHY");
}

#[tokio::test(start_paused = true)]
async fn task_definitions_and_hosts_are_read_once() {
    let (world, mut reader) = (World::of(200), reader());
    world.change(|state| {
        for seen in state.tasks.values_mut() {
            seen.task.addresses.clear();
            seen.task.container_instance = Some("arn:aws:ecs:eu-central-1:1:container-instance/default/h".to_owned());
        }
    });
    for _ in 0..5 {
        let moment = read(&mut reader, &world).await.unwrap();
        assert_eq!(moment.observation.container_instances[0].addresses.len(), 1);
    }
    world.change(|state| {
        assert_eq!(state.calls["DescribeTaskDefinition"], 4);
        assert_eq!(state.calls["DescribeContainerInstances"], 1);
        assert_eq!(state.calls["DescribeInstances"], 1);
        assert_eq!(state.calls["DescribeClusters"], 1);
    });
}

#[tokio::test(start_paused = true)]
async fn one_family_that_cannot_be_read_holds_up_the_others_for_two_reads() {
    let (world, mut reader) = (World::of(100), reader());
    let before = arns(&read(&mut reader, &world).await.unwrap());
    // A new revision of one service, and a new task of the other.
    let new = world.start("s0");
    world.change(|state| {
        state.broken_family = Some("s0".to_owned());
        let seen = state.tasks.get_mut(&new).unwrap();
        seen.task.task_definition = seen.task.task_definition.replace(":1", ":2");
    });
    let other = world.start("s1");
    for _ in 0..2 {
        let fault = read(&mut reader, &world).await.unwrap_err();
        assert_eq!(fault.to_string(), "DescribeTaskDefinition: of `s0`: ThrottlingException");
    }
    let moment = read(&mut reader, &world).await.unwrap();
    let mut expected = before;
    expected.insert(other);
    assert_eq!(arns(&moment), expected, "no endpoint of the family is lost");
    assert!(moment.unread.contains("s0"));
    world.change(|state| state.broken_family = None);
    let moment = read(&mut reader, &world).await.unwrap();
    assert_eq!((arns(&moment), moment.unread.len()), (world.running(), 0));
}

#[tokio::test(start_paused = true)]
async fn a_cluster_that_does_not_exist_is_named() {
    let (world, mut reader) = (World::of(1), reader());
    let wants = Wants { clusters: ["prod".to_owned()].into(), ..Wants::default() };
    let (answer, _) = reader.read(&world, &wants, Arc::new(|_| ())).await;
    assert_eq!(answer.unwrap_err().to_string(), "DescribeClusters: no cluster is called `prod`");
}

#[tokio::test(start_paused = true)]
async fn after_a_restart_what_stopped_meanwhile_is_asked_for() {
    let (world, mut reader) = (World::of(20), reader());
    let known = read(&mut reader, &world).await.unwrap().observation;
    let first: Vec<String> = world.running().into_iter().take(10).collect();
    first.iter().for_each(|arn| world.stop(arn));
    let mut reader = Reader::new(&Options { known: Some(known), seed: 7, ..Options::default() });
    assert_eq!(arns(&read(&mut reader, &world).await.unwrap()), world.running());
}
