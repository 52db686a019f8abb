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
        state.broken_families.insert("s0".to_owned(), Kind::Throttled);
        let seen = state.tasks.get_mut(&new).unwrap();
        seen.task.task_definition = seen.task.task_definition.replace(":1", ":2");
    });
    let other = world.start("s1");
    for _ in 0..2 {
        let fault = read(&mut reader, &world).await.unwrap_err();
        assert_eq!(fault.to_string(), "DescribeTaskDefinition: of `s0`: as the test says");
    }
    let moment = read(&mut reader, &world).await.unwrap();
    let mut expected = before;
    expected.insert(other);
    assert_eq!(arns(&moment), expected, "no endpoint of the family is lost");
    assert!(moment.unread.contains("s0"));
    world.change(|state| state.broken_families.clear());
    let moment = read(&mut reader, &world).await.unwrap();
    assert_eq!((arns(&moment), moment.unread.len()), (world.running(), 0));
}

fn wants(clusters: &[&str]) -> Wants {
    Wants { clusters: clusters.iter().map(|name| (*name).to_owned()).collect(), ..Wants::default() }
}

async fn read_wanted(reader: &mut Reader, world: &World, wants: &Wants) -> Moment {
    reader.read(world, wants, Arc::new(|_| ())).await.0.unwrap()
}

/// Puts every task on one host.
fn on_a_host(world: &World) {
    world.change(|state| {
        for seen in state.tasks.values_mut() {
            seen.task.addresses.clear();
            seen.task.container_instance = Some("arn:aws:ecs:eu-central-1:1:container-instance/default/h".to_owned());
        }
    });
}

fn restarted(known: compiler::observation::Observation) -> Reader {
    Reader::new(&Options { known: Some(known), seed: 7, calls_per_second: 1_000.0, ..Options::default() })
}

#[tokio::test(start_paused = true)]
async fn a_short_list_of_clusters_loses_none() {
    let (world, mut reader, all) = (World::of(20), reader(), wants(&["*"]));
    read_wanted(&mut reader, &world, &all).await;
    world.change(|state| state.unlisted_cluster = true);
    for _ in 0..5 {
        let moment = read_wanted(&mut reader, &world, &all).await;
        assert_eq!((arns(&moment), moment.observation.clusters.len()), (world.running(), 1));
    }
}

#[tokio::test(start_paused = true)]
async fn tasks_of_a_cluster_that_is_not_there_any_more_vanish_as_a_mass() {
    let (world, mut reader, all) = (World::of(20), reader(), wants(&["*"]));
    read_wanted(&mut reader, &world, &all).await;
    world.change(|state| state.no_cluster = true);
    for _ in 0..2 {
        let moment = read_wanted(&mut reader, &world, &all).await;
        assert!(moment.observation.tasks.iter().all(|task| task.retained));
        assert_eq!((arns(&moment), moment.observation.clusters.len()), (world.running(), 1));
    }
    let moment = read_wanted(&mut reader, &world, &all).await;
    assert_eq!((arns(&moment).len(), moment.observation.clusters.len()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_cluster_that_does_not_exist_holds_up_no_other() {
    let (world, mut reader) = (World::of(20), reader());
    let moment = read_wanted(&mut reader, &world, &wants(&["default", "prod"])).await;
    assert_eq!(arns(&moment), world.running());
    assert_eq!(moment.missing.into_iter().collect::<Vec<_>>(), ["no cluster is called `prod`"]);
}

#[tokio::test(start_paused = true)]
async fn tasks_of_a_named_cluster_that_is_missing_stay_until_it_is_back_or_they_are_released() {
    let (world, mut reader, wants) = (World::of(20), reader(), wants(&["default"]));
    let wants = Wants { cloud_map: [("internal".to_owned(), "db".to_owned())].into(), ..wants };
    world.change(|state| state.instances = Some(1));
    read_wanted(&mut reader, &world, &wants).await;
    world.change(|state| (state.no_cluster, state.instances) = (true, Some(2)));
    for _ in 0..5 {
        let moment = read_wanted(&mut reader, &world, &wants).await;
        assert_eq!((arns(&moment), moment.observation.cloud_map[0].instances.len()), (world.running(), 2));
        assert_eq!(moment.observation.task_definitions.len(), 1);
        assert_eq!(moment.missing.into_iter().collect::<Vec<_>>(), ["no cluster is called `default`"]);
    }
    world.change(|state| state.no_cluster = false);
    let moment = read_wanted(&mut reader, &world, &wants).await;
    assert!(moment.missing.is_empty() && moment.observation.tasks.iter().all(|task| !task.retained));
    world.change(|state| state.no_cluster = true);
    reader.preserve.release();
    assert!(arns(&read_wanted(&mut reader, &world, &wants).await).is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_service_of_cloud_map_that_does_not_exist_holds_up_nothing() {
    let (world, mut reader) = (World::of(20), reader());
    let wants = Wants { cloud_map: [("internal".to_owned(), "db".to_owned())].into(), ..Wants::default() };
    let moment = read_wanted(&mut reader, &world, &wants).await;
    assert_eq!((arns(&moment), moment.observation.cloud_map[0].instances.len()), (world.running(), 0));
    let line = "Cloud Map has no service `db` in a namespace `internal`";
    assert_eq!(moment.missing.into_iter().collect::<Vec<_>>(), [line]);
    world.change(|state| state.instances = Some(3));
    read_wanted(&mut reader, &world, &wants).await;
    world.change(|state| state.instances = None);
    for _ in 0..5 {
        assert_eq!(read_wanted(&mut reader, &world, &wants).await.observation.cloud_map[0].instances.len(), 3);
    }
}

#[tokio::test(start_paused = true)]
async fn an_empty_answer_of_cloud_map_is_believed_when_three_reads_agree_also_after_a_restart() {
    let (world, mut reader) = (World::of(1), reader());
    let wants = Wants { cloud_map: [("internal".to_owned(), "db".to_owned())].into(), ..Wants::default() };
    world.change(|state| state.instances = Some(4));
    let known = read_wanted(&mut reader, &world, &wants).await.observation;
    world.change(|state| state.instances = Some(0));
    let mut reader = restarted(known);
    for expected in [4, 4, 0] {
        let moment = read_wanted(&mut reader, &world, &wants).await;
        assert_eq!(moment.observation.cloud_map[0].instances.len(), expected);
        assert_eq!(moment.missing.is_empty(), expected == 0);
    }
}

#[tokio::test(start_paused = true)]
async fn tasks_on_hosts_that_are_kept_after_a_restart_keep_their_addresses() {
    let (world, mut reader) = (World::of(20), reader());
    on_a_host(&world);
    let known = read(&mut reader, &world).await.unwrap().observation;
    world.change(|state| (state.tasks.clear(), state.no_addresses = true));
    let moment = read(&mut restarted(known.clone()), &world).await.unwrap();
    assert_eq!((arns(&moment).len(), &moment.observation.container_instances), (20, &known.container_instances));
    // A record that lacks them is made whole.
    world.change(|state| state.no_addresses = false);
    let without = compiler::observation::Observation { container_instances: Vec::new(), ..known.clone() };
    let moment = read(&mut restarted(without), &world).await.unwrap();
    assert_eq!(moment.observation.container_instances, known.container_instances);
}

#[tokio::test(start_paused = true)]
async fn a_host_that_an_answer_lacks_is_where_it_was() {
    let (world, mut reader) = (World::of(20), reader());
    on_a_host(&world);
    let known = read(&mut reader, &world).await.unwrap().observation.container_instances;
    world.change(|state| state.no_addresses = true);
    tokio::time::sleep(std::time::Duration::from_secs(25 * 60 * 60)).await;
    assert_eq!(read(&mut reader, &world).await.unwrap().observation.container_instances, known);
    assert_eq!(world.change(|state| state.calls["DescribeInstances"]), 2);
}

#[tokio::test(start_paused = true)]
async fn a_running_task_without_the_address_of_its_host_holds_up_two_reads() {
    let (world, mut reader) = (World::of(20), reader());
    on_a_host(&world);
    world.change(|state| state.no_addresses = true);
    let line = "the host `h` of a running task has no address";
    for _ in 0..2 {
        let fault = read(&mut reader, &world).await.unwrap_err();
        assert_eq!(fault.to_string(), format!("DescribeInstances: {line}"));
    }
    let moment = read(&mut reader, &world).await.unwrap();
    assert_eq!(moment.missing.into_iter().collect::<Vec<_>>(), [line]);
    world.change(|state| state.no_addresses = false);
    let moment = read(&mut reader, &world).await.unwrap();
    assert_eq!((moment.observation.container_instances[0].addresses.len(), moment.missing.len()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn the_host_of_a_task_that_is_pending_is_known() {
    let (world, mut reader) = (World::of(1), reader());
    on_a_host(&world);
    world.change(|state| {
        state.tasks.values_mut().for_each(|seen| seen.task.last_status = "PENDING".to_owned());
    });
    let moment = read(&mut reader, &world).await.unwrap();
    assert_eq!(moment.observation.container_instances[0].addresses.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn many_families_that_cannot_be_read_hold_up_the_others_for_a_while_only() {
    for (kind, most) in [(Kind::Throttled, 12), (Kind::Refused, 2)] {
        let (world, mut reader) = (World::of(50), reader());
        let before = arns(&read(&mut reader, &world).await.unwrap());
        for number in 0..10 {
            world.start(&format!("new{number}"));
            world.change(|state| state.broken_families.insert(format!("new{number}"), kind));
        }
        let mut abandoned = 0;
        let moment = loop {
            match read(&mut reader, &world).await {
                Ok(moment) => break moment,
                Err(_) => abandoned += 1,
            }
            assert!(abandoned <= most, "{kind:?}");
        };
        assert_eq!((arns(&moment), moment.unread.len()), (before, 10));
        let calls = world.change(|state| state.calls["DescribeTaskDefinition"]);
        read(&mut reader, &world).await.unwrap();
        assert_eq!(world.change(|state| state.calls["DescribeTaskDefinition"]), calls + 10, "one attempt each");
    }
}

#[tokio::test(start_paused = true)]
async fn with_no_task_definition_that_can_be_read_there_is_no_moment() {
    let (world, mut reader) = (World::of(50), reader());
    world.change(|state| state.broken_families.insert("s0".to_owned(), Kind::Denied));
    for _ in 0..9 {
        assert_eq!(read(&mut reader, &world).await.unwrap_err().kind, Kind::Denied);
    }
}

#[tokio::test(start_paused = true)]
async fn tags_of_task_definitions_that_change_are_seen_with_one_call_a_read() {
    let (world, mut reader) = (World::of(150), reader());
    let weight = |weight: &str| [("NJ_WEIGHT".to_owned(), weight.to_owned())].into();
    let arn = |service: &str| format!("arn:aws:ecs:eu-central-1:1:task-definition/{service}:1");
    world.change(|state| state.tags = [(arn("s0"), weight("1")), (arn("s1"), weight("1"))].into());
    let known = read(&mut reader, &world).await.unwrap().observation;
    world.change(|state| state.tags = [(arn("s0"), weight("2")), (arn("s1"), weight("3"))].into());
    for mut reader in [reader, restarted(known)] {
        let calls = world.change(|state| state.calls["DescribeTaskDefinition"]);
        read(&mut reader, &world).await.unwrap();
        let definitions = read(&mut reader, &world).await.unwrap().observation.task_definitions;
        let weights: Vec<&str> =
            definitions.iter().filter_map(|it| it.tags.get("NJ_WEIGHT")).map(String::as_str).collect();
        assert_eq!(weights, ["2", "3"]);
        assert_eq!(world.change(|state| state.calls["DescribeTaskDefinition"]), calls + 2);
    }
}

#[tokio::test(start_paused = true)]
async fn missing_tasks_are_told_in_the_short_form_of_their_arn_too() {
    let (world, mut reader) = (World::of(20), reader());
    read(&mut reader, &world).await.unwrap();
    world.change(|state| {
        state.described = Some(Box::new(|mut described| {
            for arn in &mut described.missing {
                *arn = arn.replace("task/default/", "task/");
            }
            described
        }));
    });
    world.forget(&world.running().pop_first().unwrap());
    read(&mut reader, &world).await.unwrap();
    assert_eq!(arns(&read(&mut reader, &world).await.unwrap()), world.running());
}

#[tokio::test(start_paused = true)]
async fn a_kept_task_that_is_described_again_is_not_kept_however_old_the_answer() {
    let (world, mut reader) = (World::of(20), reader());
    world.change(|state| state.tasks.values_mut().for_each(|seen| seen.version = 5));
    read(&mut reader, &world).await.unwrap();
    let mut tasks = world.change(|state| std::mem::take(&mut state.tasks));
    assert!(read(&mut reader, &world).await.unwrap().observation.tasks.iter().all(|task| task.retained));
    tasks.values_mut().for_each(|seen| seen.version = 4);
    world.change(|state| state.tasks = tasks);
    assert!(read(&mut reader, &world).await.unwrap().observation.tasks.iter().all(|task| !task.retained));
}

#[tokio::test(start_paused = true)]
async fn a_release_ends_with_a_read_that_fails() {
    let (world, mut reader) = (World::of(20), reader());
    read(&mut reader, &world).await.unwrap();
    reader.preserve.release();
    world.change(|state| state.failing = Some(crate::world::How::With(Kind::Unavailable)));
    read(&mut reader, &world).await.unwrap_err();
    world.change(|state| (state.failing = None, state.tasks.clear()));
    assert_eq!(read(&mut reader, &world).await.unwrap().observation.tasks.len(), 20);
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
