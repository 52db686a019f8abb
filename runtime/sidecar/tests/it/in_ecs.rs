//! A sidecar that has nothing but its environment, as in a task of ECS.

use std::process::{Command, Output};
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use rustix::process::Signal;
use tokio::net::TcpListener;

use crate::world::{ControlPlane, NODE, Sidecar, Variant, World};

const SOON: Duration = Duration::from_secs(15);

const TASK: &str = r#"{
    "Cluster": "arn:aws:ecs:eu-central-1:1:cluster/prod", "TaskARN": "arn:aws:ecs:eu-central-1:1:task/prod/7f3c",
    "Family": "orders", "Revision": "7", "AvailabilityZone": "eu-central-1a"
}"#;

/// The variable that names an agent which knows the task.
async fn agent() -> (&'static str, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let uri = format!("http://{}/v4/abc", listener.local_addr().expect("an address"));
    let router = Router::new().route("/v4/abc/task", get(async || TASK));
    tokio::spawn(async move { drop(axum::serve(listener, router).await) });
    ("ECS_CONTAINER_METADATA_URI_V4", uri)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_asks_as_what_it_is_and_goes_on_with_what_was_good_when_nobody_answers() {
    let world = World::new(Variant::Delta).await;
    let address = world.control_plane_address(0);
    let control_plane = ControlPlane::of_task(&world, address, "1").await;
    let variables = [("MESHWRIGHT_XDS", address.to_string()), agent().await];
    let mut sidecar = Sidecar::start_alone(&world, &variables);
    world.answers("1", SOON).await;
    let streams = control_plane.registry.streams();
    let told: Vec<(&str, &str)> = streams.iter().map(|it| (it.node.as_str(), it.proxy.as_str())).collect();
    assert_eq!(told, [("orders/7~prod/7f3c", NODE)]);
    let bootstrap = std::fs::read_to_string(world.folder.path().join("own/envoy.yaml")).expect("a bootstrap");
    assert!(bootstrap.contains("zone: eu-central-1a\n"), "{bootstrap}");
    // The task's health check has the same environment.
    let health = with(Command::new(env!("CARGO_BIN_EXE_meshwright-sidecar")).arg("health"), &world, &variables);
    assert_eq!(health.status.code(), Some(0), "{}", text(&health));

    control_plane.kill();
    sidecar.signal(Signal::TERM);
    sidecar.ends(Duration::from_secs(30)).await;
    assert!(world.folder.path().join("own/state/orders~7.last-good").exists());
    let _again = Sidecar::start_alone(&world, &variables);
    world.answers("1", SOON).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_bents_image_reads_is_read() {
    let world = World::new(Variant::Delta).await;
    let address = world.control_plane_address(0);
    let control_plane = ControlPlane::start(&world, address, "1").await;
    let variables = [
        ("ENVOY_XDS_HOST", address.ip().to_string()),
        ("ENVOY_XDS_PORT", address.port().to_string()),
        ("ENVOY_NODE_ID", NODE.to_owned()),
        ("ENVOY_NODE_ZONE", "eu-west-1c".to_owned()),
        ("ENVOY_LOG_LEVEL", "error".to_owned()),
    ];
    let _sidecar = Sidecar::start_alone(&world, &variables);
    world.answers("1", SOON).await;
    assert_eq!(control_plane.registry.streams()[0].proxy, NODE);
    let bootstrap = std::fs::read_to_string(world.folder.path().join("own/envoy.yaml")).expect("a bootstrap");
    assert!(bootstrap.contains("zone: eu-west-1c\n"), "{bootstrap}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_is_said_before_envoy_starts() {
    let world = World::new(Variant::Delta).await;
    let check = |variables: &[(&str, String)], expected: &str| {
        let output = with(&mut Command::new(env!("CARGO_BIN_EXE_meshwright-sidecar")), &world, variables);
        assert_eq!(output.status.code(), Some(64), "{}", text(&output));
        assert!(text(&output).contains(expected), "{}", text(&output));
    };
    check(&[], "no control plane is said: give `--xds HOST:PORT` or MESHWRIGHT_XDS");
    let xds = ("MESHWRIGHT_XDS", "127.0.0.1:18000".to_owned());
    check(std::slice::from_ref(&xds), "this is no task of ECS");
    check(&[xds, ("MESHWRIGHT_NODE", "../orders".to_owned())], "`../orders` is no name of a node");
}

fn with(command: &mut Command, world: &World, variables: &[(&str, String)]) -> Output {
    command.env_remove("STATE_DIRECTORY").env("MESHWRIGHT_HEALTH", world.health().to_string());
    command.env("MESHWRIGHT_FOLDER", world.folder.path().join("own"));
    command.envs(variables.iter().map(|(name, value)| (name, value))).output().expect("it runs")
}

fn text(output: &Output) -> String {
    [&output.stdout[..], &output.stderr[..]].map(String::from_utf8_lossy).concat()
}
