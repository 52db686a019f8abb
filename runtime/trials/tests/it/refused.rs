//! What an Envoy refuses changes nothing of its traffic, and the next good state is taken.

use trials::refused::{Wrong, refused};

use crate::{AT_ONCE, VARIANTS, newest, oldest};

async fn check(wrong: Wrong) {
    for binary in [newest(), oldest()] {
        for variant in VARIANTS {
            let refused = refused(&binary, variant, wrong).await.unwrap();
            assert_eq!(refused.tally.lost, 0, "{variant:?}: {refused:?}");
            assert_eq!(refused.rejected, 1, "{variant:?}: it was told again what it had refused: {refused:?}");
            assert!(refused.converged <= AT_ONCE, "{variant:?}: {refused:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_is_no_valid_message_harms_nobody() {
    check(Wrong::Invalid).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_cannot_be_made_harms_nobody() {
    check(Wrong::Impossible).await;
}
