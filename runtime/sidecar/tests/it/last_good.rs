//! Control planes that are gone: Envoy starts, and starts again, with what was good.

use std::time::Duration;

use rustix::process::Signal;

use crate::world::{ControlPlane, Load, Sidecar, Variant, World, until};

const SOON: Duration = Duration::from_secs(10);

async fn an_envoy_starts_from_the_bundle(variant: Variant) {
    let world = World::new(variant).await;
    world.bundle("bundled");
    let sidecar = Sidecar::start(&world, &[world.control_plane_address(0)]);
    let took = world.answers("bundled", SOON).await;
    eprintln!("first answer from the bundle without a control plane: {took:?} ({variant:?})");
    let (status, said) = world.ready().await.expect("the page answers");
    assert_eq!((status, said.as_str()), (200, "ready, stale: last good from the bundle"));
    assert_eq!(world.admin().counter("listener_manager.lds.update_rejected").await.ok(), Some(0));
    drop(sidecar);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_envoy_starts_from_the_bundle_delta() {
    an_envoy_starts_from_the_bundle(Variant::Delta).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_envoy_starts_from_the_bundle_state_of_the_world() {
    an_envoy_starts_from_the_bundle(Variant::StateOfTheWorld).await;
}

async fn what_was_acknowledged_outlives_control_plane_and_sidecar(variant: Variant) {
    let world = World::new(variant).await;
    let address = world.control_plane_address(0);
    let control_plane = ControlPlane::start(&world, address, "1").await;
    let mut sidecar = Sidecar::start(&world, &[address]);
    world.answers("1", SOON).await;
    control_plane.publish(&world, "2");
    world.answers("2", SOON).await;
    control_plane.kill();
    sidecar.signal(Signal::TERM);
    sidecar.ends(SOON).await;
    drop(sidecar);
    let sidecar = Sidecar::start(&world, &[address]);
    let took = world.answers("2", SOON).await;
    eprintln!("first answer from the record without a control plane: {took:?} ({variant:?})");
    let (status, said) = world.ready().await.expect("the page answers");
    assert_eq!(status, 200);
    assert!(said.starts_with("ready, stale: last good from 2"), "{said}");
    drop(sidecar);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_outlives_control_plane_and_sidecar_delta() {
    what_was_acknowledged_outlives_control_plane_and_sidecar(Variant::Delta).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_outlives_control_plane_and_sidecar_state_of_the_world() {
    what_was_acknowledged_outlives_control_plane_and_sidecar(Variant::StateOfTheWorld).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_envoy_that_dies_without_a_control_plane_comes_back_with_its_configuration() {
    let world = World::new(Variant::Delta).await;
    let address = world.control_plane_address(0);
    let control_plane = ControlPlane::start(&world, address, "1").await;
    let sidecar = Sidecar::start(&world, &[address]);
    world.answers("1", SOON).await;
    control_plane.kill();
    let envoy = sidecar.envoy().expect("Envoy runs");
    crate::world::kill(envoy, Signal::KILL);
    until("Envoy is gone", SOON, async || sidecar.envoy() != Some(envoy)).await;
    let took = world.answers("1", SOON).await;
    eprintln!("killed without a control plane, answers again after {took:?}");
    assert_eq!(world.metric("meshwright_sidecar_envoy_restarts_total").await, Some(1.0));
}

async fn a_control_plane_that_returns_is_found(variant: Variant) {
    let world = World::new(variant).await;
    let address = world.control_plane_address(0);
    let control_plane = ControlPlane::start(&world, address, "1").await;
    let sidecar = Sidecar::start(&world, &[address]);
    world.answers("1", SOON).await;
    let load = Load::start(&world);
    control_plane.kill();
    until("Envoy has the last good state", SOON, async || {
        world.ready().await.is_some_and(|(status, said)| status == 200 && said.contains("stale"))
    })
    .await;
    let control_plane = ControlPlane::start(&world, address, "2").await;
    let took = world.answers("2", SOON).await;
    let lost = load.finish().await;
    eprintln!("on the control plane {took:?} after it came back ({variant:?}), {} requests", lost.sent);
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert!(lost.lost.is_empty(), "{:?}", lost.lost);
    assert_eq!(control_plane.streams(), 1);
    until("nothing is stale", SOON, async || world.ready().await == Some((200, "ready".to_owned()))).await;
    drop(sidecar);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_control_plane_that_returns_is_found_delta() {
    a_control_plane_that_returns_is_found(Variant::Delta).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_control_plane_that_returns_is_found_state_of_the_world() {
    a_control_plane_that_returns_is_found(Variant::StateOfTheWorld).await;
}

async fn a_hand_over_of_what_envoy_has_changes_nothing(variant: Variant) {
    let world = World::new(variant).await;
    world.bundle("1");
    let address = world.control_plane_address(0);
    let sidecar = Sidecar::start(&world, &[address]);
    world.answers("1", SOON).await;
    let control_plane = ControlPlane::start(&world, address, "1").await;
    until("the control plane has taken over", SOON, async || world.ready().await == Some((200, "ready".to_owned())))
        .await;
    until("everything is acknowledged", SOON, async || {
        world.metric("meshwright_sidecar_acknowledged_total{type=\"rds\"}").await.is_some_and(|count| count >= 1.0)
    })
    .await;
    for counter in [
        "cluster_manager.cluster_modified",
        "cluster_manager.cluster_removed",
        "listener_manager.listener_modified",
        "listener_manager.listener_removed",
    ] {
        assert_eq!(world.admin().counter(counter).await.ok(), Some(0), "{counter}");
    }
    drop((sidecar, control_plane));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hand_over_of_what_envoy_has_changes_nothing_delta() {
    a_hand_over_of_what_envoy_has_changes_nothing(Variant::Delta).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hand_over_of_what_envoy_has_changes_nothing_state_of_the_world() {
    a_hand_over_of_what_envoy_has_changes_nothing(Variant::StateOfTheWorld).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_that_cannot_be_written_is_told_and_kept_in_memory() {
    let world = World::new(Variant::Delta).await;
    let address = world.control_plane_address(0);
    let control_plane = ControlPlane::start(&world, address, "1").await;
    let sidecar = Sidecar::start_with(&world, &[address], &["--state", "/proc/nowhere"]);
    world.answers("1", SOON).await;
    until("it is counted", SOON, async || {
        world.metric("meshwright_sidecar_last_good_write_failures_total").await.is_some_and(|count| count >= 1.0)
    })
    .await;
    control_plane.kill();
    let envoy = sidecar.envoy().expect("Envoy runs");
    crate::world::kill(envoy, Signal::KILL);
    until("Envoy is gone", SOON, async || sidecar.envoy() != Some(envoy)).await;
    world.answers("1", SOON).await;
    assert!(sidecar.log().contains("the last good state cannot be written"), "{}", sidecar.log());
}
