//! A replica dies after it told of a cluster, and before it told of its endpoints: the other tells both, at once.

use trials::between::between;
use trials::proxy::Trouble;

use crate::{AT_ONCE, VARIANTS, newest, oldest};

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_dies_between_clusters_and_endpoints_stalls_nobody() {
    for binary in [newest(), oldest()] {
        for variant in VARIANTS {
            let interrupted = between(&binary, variant).await.unwrap();
            assert_eq!(interrupted.tally.lost, 0, "{variant:?}: {interrupted:?}");
            assert_eq!(interrupted.trouble, Trouble::default(), "{variant:?}");
            assert!(interrupted.converged <= AT_ONCE, "{variant:?}: {interrupted:?}");
        }
    }
}
