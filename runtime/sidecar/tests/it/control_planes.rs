//! Several control planes, and such that do not do what they should.

use std::time::Duration;

use rustix::process::Signal;
use tokio::net::TcpListener;

use crate::world::{ControlPlane, Exit, Load, Sidecar, Variant, World, until};

const SOON: Duration = Duration::from_secs(10);

async fn the_next_takes_over(variant: Variant) {
    let world = World::new(variant).await;
    let addresses = [world.control_plane_address(0), world.control_plane_address(1)];
    let mut control_planes = Vec::new();
    for address in addresses {
        control_planes.push(ControlPlane::start(&world, address, "1").await);
    }
    let sidecar = Sidecar::start(&world, &addresses);
    world.answers("1", SOON).await;
    let load = Load::start(&world);
    let connected = control_planes.iter().position(|it| it.streams() > 0).expect("one of them");
    control_planes.remove(connected).kill();
    let other = control_planes.first().expect("the other");
    let took = until("the other has the stream", SOON, async || other.streams() > 0).await;
    other.publish(&world, "2");
    world.answers("2", SOON).await;
    let lost = load.finish().await;
    eprintln!("one of two control planes killed: on the other after {took:?} ({variant:?}), {} requests", lost.sent);
    assert!(took < Duration::from_secs(2), "{took:?}");
    assert!(lost.lost.is_empty(), "{:?}", lost.lost);
    for counter in ["cluster_manager.cluster_removed", "listener_manager.listener_modified"] {
        assert_eq!(world.admin().counter(counter).await.ok(), Some(0), "{counter}");
    }
    drop(sidecar);
}

#[tokio::test(flavor = "multi_thread")]
async fn when_one_is_killed_the_next_takes_over_delta() {
    the_next_takes_over(Variant::Delta).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn when_one_is_killed_the_next_takes_over_state_of_the_world() {
    the_next_takes_over(Variant::StateOfTheWorld).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_control_plane_that_says_nothing_does_not_keep_an_envoy_from_starting() {
    let world = World::new(Variant::Delta).await;
    world.bundle("bundled");
    // Connections are opened by the kernel; nobody answers them.
    let silent = TcpListener::bind(world.control_plane_address(0)).await.expect("an address");
    let sidecar = Sidecar::start(&world, &[world.control_plane_address(0)]);
    let took = world.answers("bundled", SOON).await;
    eprintln!("first answer while the control plane is silent: {took:?}");
    drop(silent);
    let control_plane = ControlPlane::start(&world, world.control_plane_address(0), "2").await;
    world.answers("2", SOON).await;
    drop((sidecar, control_plane));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_any_state_envoy_waits_for_the_first_control_plane() {
    let world = World::new(Variant::Delta).await;
    let sidecar = Sidecar::start(&world, &[world.control_plane_address(0)]);
    until("the page says why", SOON, async || {
        let said = world.ready().await;
        said.is_some_and(|(status, said)| status == 503 && said.starts_with("not ready: Envoy is not initialised"))
    })
    .await;
    let control_plane = ControlPlane::start(&world, world.control_plane_address(0), "1").await;
    let took = world.answers("1", SOON).await;
    assert!(took < Duration::from_secs(6), "{took:?}");
    assert_eq!(world.ready().await, Some((200, "ready".to_owned())));
    drop((sidecar, control_plane));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_envoy_refuses_never_becomes_the_last_good_state() {
    let world = World::new(Variant::Delta).await;
    let address = world.control_plane_address(0);
    let control_plane = ControlPlane::start(&world, address, "1").await;
    let mut sidecar = Sidecar::start(&world, &[address]);
    world.answers("1", SOON).await;
    control_plane.publish_refused();
    until("Envoy refuses", SOON, async || {
        world.metric("meshwright_sidecar_refused_total{type=\"lds\"}").await.is_some_and(|count| count >= 1.0)
    })
    .await;
    control_plane.kill();
    sidecar.signal(Signal::TERM);
    assert_eq!(sidecar.ends(SOON).await, Exit::Code(0));
    drop(sidecar);
    let sidecar = Sidecar::start(&world, &[address]);
    world.answers("1", SOON).await;
    assert_eq!(world.admin().counter("listener_manager.lds.update_rejected").await.ok(), Some(0));
    drop(sidecar);
}

/// The route changes its cluster all the time, and the only control plane dies in the middle of it.
async fn nothing_is_lost_while_everything_changes_and_control_planes_die(variant: Variant) {
    let world = World::new(variant).await;
    let address = world.control_plane_address(0);
    let mut control_plane = ControlPlane::start(&world, address, "0a").await;
    let sidecar = Sidecar::start(&world, &[address]);
    world.answers("0a", SOON).await;
    let load = Load::start(&world);
    let mut change = 0;
    for _ in 0..4 {
        for _ in 0..10 {
            change += 1;
            control_plane.publish(&world, &version(change));
            tokio::time::sleep(Duration::from_millis(60)).await;
        }
        let served = control_plane.kill();
        until("Envoy has the last good state", SOON, async || {
            world.ready().await.is_some_and(|(status, said)| status == 200 && said.contains("stale"))
        })
        .await;
        control_plane = ControlPlane::serving(served, address, None).await;
        until("Envoy is passed through", SOON, async || control_plane.streams() > 0).await;
    }
    world.answers(&version(change), SOON).await;
    let lost = load.finish().await;
    eprintln!("4 deaths, {change} changes of the cluster, {} requests ({variant:?})", lost.sent);
    assert!(lost.lost.is_empty(), "{:?}", lost.lost);
    assert_eq!(world.admin().counter("listener_manager.lds.update_rejected").await.ok(), Some(0));
    drop(sidecar);
}

fn version(change: usize) -> String {
    format!("{change}{}", if change.is_multiple_of(2) { 'a' } else { 'b' })
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_while_everything_changes_and_control_planes_die_delta() {
    nothing_is_lost_while_everything_changes_and_control_planes_die(Variant::Delta).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_while_everything_changes_and_control_planes_die_state_of_the_world() {
    nothing_is_lost_while_everything_changes_and_control_planes_die(Variant::StateOfTheWorld).await;
}
