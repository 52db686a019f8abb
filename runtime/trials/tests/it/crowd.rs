//! One client's refusals and other connections' nonsense are nobody else's business.

use trials::malformed::malformed;
use trials::refusing::refusing;

use crate::{AT_ONCE, newest};

#[tokio::test(flavor = "multi_thread")]
async fn who_refuses_everything_is_told_each_version_once_and_others_at_once() {
    let told = refusing(&newest(), 49, 3).await.unwrap();
    assert_eq!(told.repeated, 0, "{told:?}");
    // What was added and what remains: each is a version of its own.
    assert!(told.refused <= 2 * told.published, "{told:?}");
    assert!(told.delays.iter().all(|delay| *delay <= AT_ONCE), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_beside_malformed_ones_is_told_of_changes_at_once() {
    let borne = malformed(&newest(), 1).await.unwrap();
    assert!(borne.told <= AT_ONCE, "{borne:?}");
}
