//! The replica that Envoy asks is killed while what both publish changes: the other takes over, and no request is lost.

use std::path::PathBuf;
use std::time::Duration;

use control_plane::Variant;
use trials::failover::{Failover, fail_over};
use trials::proxy::Trouble;

use crate::{PAUSE, newest};

async fn check(variant: Variant, per_second: f64) {
    let trial = Failover {
        binary: newest(),
        program: PathBuf::from(env!("CARGO_BIN_EXE_meshwright-trials")),
        variant,
        per_second,
        lasts: Duration::from_secs(10),
        every: Duration::from_secs(2),
        pause: PAUSE,
    };
    let survived = fail_over(&trial).await.unwrap();
    assert!(survived.kills >= 2, "{survived:?}");
    assert_eq!(survived.tally.lost, 0, "{survived:?}");
    assert_eq!(survived.trouble, Trouble::default(), "{survived:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn kills_amid_changes_lose_nothing_in_the_state_of_the_world() {
    check(Variant::StateOfTheWorld, 20.0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kills_amid_changes_lose_nothing_in_deltas() {
    check(Variant::Delta, 20.0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kills_amid_rare_changes_lose_nothing() {
    check(Variant::Delta, 0.5).await;
}
