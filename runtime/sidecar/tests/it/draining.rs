//! SIGTERM: what is under way is finished, and nobody who listens loses a request.

use std::time::Duration;

use local::echo::DELAY;
use local::{Client, Response};
use rustix::process::Signal;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::world::{Exit, Sidecar, Variant, World, request, until};

const SOON: Duration = Duration::from_secs(10);

async fn running(more: &[&str]) -> (World, Sidecar) {
    let world = World::new(Variant::Delta).await;
    world.bundle("1");
    let sidecar = Sidecar::start_with(&world, &[world.control_plane_address(0)], more);
    world.answers("1", SOON).await;
    (world, sidecar)
}

/// A request that takes a while, and is with the service when this returns.
async fn under_way(world: &World, delay: &str) -> JoinHandle<Result<Response, local::ClientError>> {
    let (address, delayed) = (world.egress(), request().header(DELAY, delay));
    let before = world.received();
    let exchange = tokio::spawn(async move { Client::new(address).send(&delayed).await });
    until("the service has the request", SOON, async || world.received() > before).await;
    exchange
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_under_way_is_answered_and_then_envoy_ends() {
    let (world, mut sidecar) = running(&[]).await;
    let exchange = under_way(&world, "1500").await;
    let begun = Instant::now();
    sidecar.signal(Signal::TERM);
    until("readiness is red", SOON, async || world.ready().await == Some((503, "not ready: draining".to_owned())))
        .await;
    let response = exchange.await.expect("no panic").expect("an answer");
    assert_eq!((response.status, response.header("connection").as_deref()), (200, Some("close")));
    assert_eq!(sidecar.ends(SOON).await, Exit::Code(0));
    eprintln!("drained in {:?}", begun.elapsed());
    assert!(begun.elapsed() < Duration::from_secs(10), "it does not wait for longer than it must");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_leaves_when_it_is_told_to_loses_nothing() {
    let (world, mut sidecar) = running(&[]).await;
    let address = world.egress();
    let client = tokio::spawn(async move {
        let mut client = Client::new(address);
        let (mut sent, mut lost) = (0, Vec::new());
        loop {
            sent += 1;
            match client.send(&request()).await {
                Ok(response) if response.status != 200 => lost.push(response.status.to_string()),
                Ok(response) if response.header("connection").as_deref() == Some("close") => return (sent, lost),
                Ok(_) => {}
                Err(error) => {
                    lost.push(error.to_string());
                    return (sent, lost);
                }
            }
        }
    });
    let before = world.received();
    until("the client is at work", SOON, async || world.received() > before + 20).await;
    sidecar.signal(Signal::TERM);
    let (sent, lost) = client.await.expect("no panic");
    eprintln!("{sent} requests until the client was told to leave, {} lost", lost.len());
    assert!(lost.is_empty(), "{lost:?}");
    assert_eq!(sidecar.ends(SOON).await, Exit::Code(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_stays_is_waited_for_no_longer_than_said() {
    let (world, mut sidecar) = running(&["--drain", "1s"]).await;
    let mut client = Client::new(world.egress());
    client.send(&request()).await.expect("an answer");
    let begun = Instant::now();
    sidecar.signal(Signal::TERM);
    assert_eq!(sidecar.ends(SOON).await, Exit::Code(0));
    assert!((900..5000).contains(&begun.elapsed().as_millis()), "{:?}", begun.elapsed());
    drop(client);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_hurries() {
    let (world, mut sidecar) = running(&["--drain", "60s"]).await;
    let exchange = under_way(&world, "30000").await;
    sidecar.signal(Signal::TERM);
    until("it drains", SOON, async || world.ready().await.is_some_and(|(_, said)| said.contains("draining"))).await;
    let begun = Instant::now();
    sidecar.signal(Signal::TERM);
    assert_eq!(sidecar.ends(SOON).await, Exit::Code(0));
    assert!(begun.elapsed() < Duration::from_secs(6), "{:?}", begun.elapsed());
    exchange.abort();
}
