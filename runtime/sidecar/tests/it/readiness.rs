//! What the health page says, and what is done with states that are of no use.

use std::time::Duration;

use local::{Client, Request};
use meshwright_sidecar::{LastGood, keep};

use crate::world::{NODE, Sidecar, Variant, World, until};

const SOON: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_record_is_told_and_the_bundle_is_used() {
    let world = World::new(Variant::Delta).await;
    world.bundle("bundled");
    std::fs::create_dir_all(world.folder.path().join("state")).expect("a folder");
    let mut bytes = LastGood::bundle(&world.meshes.snapshot("record"), NODE).expect("a state").encode();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(world.state(), bytes).expect("a file");
    let sidecar = Sidecar::start(&world, &[]);
    world.answers("bundled", SOON).await;
    assert!(sidecar.log().contains("it is cut off or damaged"), "{}", sidecar.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_is_used_before_the_bundle_and_that_of_another_proxy_never() {
    let world = World::new(Variant::Delta).await;
    world.bundle("bundled");
    let mut record = LastGood::bundle(&world.meshes.snapshot("record"), NODE).expect("a state");
    record.acknowledged = Some(1_700_000_000);
    keep::save(&record, &world.state()).expect("a file");
    let sidecar = Sidecar::start(&world, &[]);
    world.answers("record", SOON).await;
    let said = world.ready().await;
    assert_eq!(said, Some((200, "ready, stale: last good from 2023-11-14T22:13:20Z".to_owned())));
    drop(sidecar);
    record.proxy = "gamma".to_owned();
    keep::save(&record, &world.state()).expect("a file");
    let sidecar = Sidecar::start(&world, &[]);
    world.answers("bundled", SOON).await;
    assert!(sidecar.log().contains("it is for `gamma`, not for `beta`"), "{}", sidecar.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_say_who_tells_envoy_what_it_is() {
    let world = World::new(Variant::Delta).await;
    world.bundle("1");
    let sidecar = Sidecar::start(&world, &[]);
    world.answers("1", SOON).await;
    until("it is ready", SOON, async || world.ready().await.is_some_and(|(status, _)| status == 200)).await;
    for (name, value) in [
        ("meshwright_sidecar_mode{mode=\"last-good\"}", 1.0),
        ("meshwright_sidecar_mode{mode=\"control-plane\"}", 0.0),
        ("meshwright_sidecar_upstream_connected", 0.0),
        ("meshwright_sidecar_ready", 1.0),
        ("meshwright_sidecar_envoy_restarts_total", 0.0),
    ] {
        assert_eq!(world.metric(name).await, Some(value), "{name}");
    }
    let page = Client::new(world.health()).send(&Request::get("/healthz")).await.expect("an answer");
    assert_eq!((page.status, page.text().trim()), (200, "alive"));
    drop(sidecar);
}
