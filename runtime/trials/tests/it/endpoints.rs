//! What changes in a cluster, and leaves its endpoints as they are, makes nobody wait for them.

use std::time::Duration;

use trials::endpoints::change_of_a_cluster;
use trials::proxy::Trouble;

use crate::{AT_ONCE, VARIANTS, newest, oldest};

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_cluster_with_the_same_endpoints_does_not_stall() {
    for binary in [newest(), oldest()] {
        for variant in VARIANTS {
            let changed = change_of_a_cluster(&binary, variant).await.unwrap();
            assert_eq!(changed.tally.lost, 0, "{variant:?}: {changed:?}");
            assert_eq!(changed.trouble, Trouble::default(), "{variant:?}");
            assert!(changed.taken <= AT_ONCE, "{variant:?}: {changed:?}");
            assert!(changed.taken > Duration::ZERO);
        }
    }
}
