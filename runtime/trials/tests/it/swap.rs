//! A route leads to another cluster many times a second, and no request is lost.

use std::time::Duration;

use control_plane::Variant;
use local::EnvoyBinary;
use trials::proxy::Trouble;
use trials::swap::{Swap, What, swap};

use crate::{AT_ONCE, PAUSE, VARIANTS, newest, oldest};

const LASTS: Duration = Duration::from_secs(5);

async fn check(binary: EnvoyBinary, variant: Variant, per_second: f64) {
    let what = What::Clusters;
    let swapped = swap(&Swap { binary, variant, what, per_second, lasts: LASTS, pause: PAUSE }).await.unwrap();
    assert_eq!(swapped.tally.lost, 0, "of {}: {:?}", swapped.tally.requests, swapped.tally.losses);
    assert_eq!(swapped.trouble, Trouble::default());
    assert!(swapped.converged <= AT_ONCE, "{swapped:?}");
    assert!(swapped.tally.requests > 100, "{swapped:?}");
    assert_eq!(swapped.changes.listeners, 0, "{swapped:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_swaps_a_second_lose_nothing_in_the_state_of_the_world() {
    check(newest(), Variant::StateOfTheWorld, 20.0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_swaps_a_second_lose_nothing_in_deltas() {
    check(newest(), Variant::Delta, 20.0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_swaps_a_second_lose_nothing_in_the_state_of_the_world() {
    check(newest(), Variant::StateOfTheWorld, 100.0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_swaps_a_second_lose_nothing_in_deltas() {
    check(newest(), Variant::Delta, 100.0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_oldest_envoy_loses_nothing_in_the_state_of_the_world() {
    check(oldest(), Variant::StateOfTheWorld, 50.0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_oldest_envoy_loses_nothing_in_deltas() {
    check(oldest(), Variant::Delta, 50.0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn listeners_that_change_and_filters_that_come_and_go_lose_nothing() {
    for variant in VARIANTS {
        let (binary, what, per_second) = (newest(), What::Listeners, 4.0);
        let swapped = swap(&Swap { binary, variant, what, per_second, lasts: LASTS, pause: PAUSE }).await.unwrap();
        assert_eq!(swapped.tally.lost, 0, "{variant:?}, of {}: {:?}", swapped.tally.requests, swapped.tally.losses);
        assert_eq!(swapped.trouble, Trouble::default(), "{variant:?}");
        assert!(swapped.converged <= AT_ONCE, "{variant:?}: {swapped:?}");
        assert!(swapped.changes.listeners > 10, "{variant:?}: {swapped:?}");
    }
}
