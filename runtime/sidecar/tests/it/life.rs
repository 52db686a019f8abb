//! The sidecar as the first process of a container: who lives, who dies, and who is waited for.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;

use crate::world::{Exit, Sidecar, Variant, World, children_of, exists, state, until};

const SOON: Duration = Duration::from_secs(10);

/// In the place of Envoy.
fn script(world: &World, text: &str) -> PathBuf {
    let path = world.folder.path().join("envoy");
    std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).expect("a script");
    std::fs::set_permissions(&path, Permissions::from_mode(0o755)).expect("a script that can be run");
    path
}

#[tokio::test(flavor = "multi_thread")]
async fn envoy_does_not_outlive_a_sidecar_that_is_killed() {
    let world = World::new(Variant::Delta).await;
    world.bundle("1");
    let mut sidecar = Sidecar::start(&world, &[]);
    world.answers("1", SOON).await;
    let envoy = sidecar.envoy().expect("Envoy runs");
    sidecar.signal(Signal::KILL);
    assert_eq!(sidecar.ends(SOON).await, Exit::Signal(9));
    until("Envoy is gone", SOON, async || !exists(envoy)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn orphans_are_waited_for() {
    let world = World::new(Variant::Delta).await;
    let envoy = script(&world, "for each in 1 2 3; do (sleep 0.1 &); done\nexec sleep 1000");
    let sidecar = Sidecar::start_as(&world, &[], &envoy, &[]);
    until("three are waited for", SOON, async || {
        world.metric("meshwright_sidecar_reaped_total").await.is_some_and(|count| count >= 3.0)
    })
    .await;
    let zombies = || children_of(sidecar.pid()).into_iter().filter(|id| state(*id).is_some_and(|(it, _)| it == 'Z'));
    assert_eq!(zombies().count(), 0);
    assert_eq!(sidecar.children().len(), 1, "Envoy is not taken for an orphan");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_envoy_that_keeps_dying_ends_the_sidecar_with_its_status() {
    let world = World::new(Variant::Delta).await;
    let count = world.folder.path().join("count");
    let envoy = script(&world, &format!("echo x >> {}\nexit 7", count.display()));
    let mut sidecar = Sidecar::start_as(&world, &[], &envoy, &["--restarts", "2"]);
    assert_eq!(sidecar.ends(SOON).await, Exit::Code(7));
    assert_eq!(std::fs::read_to_string(&count).expect("it ran").lines().count(), 3, "once, and two restarts");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_envoy_that_is_killed_again_and_again_ends_the_sidecar_as_a_shell_says_it() {
    let world = World::new(Variant::Delta).await;
    let envoy = script(&world, "kill -SEGV $$");
    let mut sidecar = Sidecar::start_as(&world, &[], &envoy, &["--restarts", "0"]);
    assert_eq!(sidecar.ends(SOON).await, Exit::Code(128 + 11));
}

#[tokio::test(flavor = "multi_thread")]
async fn health_checks_of_tasks_need_no_other_program() {
    let world = World::new(Variant::Delta).await;
    let ask = |more: &'static [&'static str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_meshwright-sidecar"));
        command.args(["health", "--health", &world.health().to_string()]).args(more);
        let output = command.output().expect("it runs");
        let text = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8_lossy(&text).trim().to_owned())
    };
    assert_eq!(ask(&[]).0, Some(1), "nobody is there");
    world.bundle("1");
    let sidecar = Sidecar::start(&world, &[]);
    world.answers("1", SOON).await;
    assert_eq!(ask(&[]), (Some(0), "ready, stale: last good from the bundle".to_owned()));
    assert_eq!(ask(&["--alive"]), (Some(0), "alive".to_owned()));
    drop(sidecar);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_task_of_a_node_is_told_apart() {
    let world = World::new(Variant::Delta).await;
    world.bundle("1");
    let sidecar = Sidecar::start_with(&world, &[], &["--task", "task-7"]);
    world.answers("1", SOON).await;
    let info = world.admin().get("/server_info").await.expect("an answer").json().expect("JSON");
    assert_eq!(info.pointer("/node/id").and_then(|id| id.as_str()), Some("beta~task-7"));
    drop(sidecar);
}
