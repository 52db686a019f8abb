//! The control plane goes away and comes back: traffic goes on, and Envoy is there again soon.

use std::time::Duration;

use trials::outage::{Outage, outage};
use trials::proxy::{Changes, Trouble};

use crate::{AT_ONCE, PAUSE, VARIANTS, newest, oldest};

/// The longest pause of an Envoy between two attempts.
const BACK_WITHIN: Duration = Duration::from_secs(6);

#[tokio::test(flavor = "multi_thread")]
async fn twenty_five_seconds_without_a_control_plane_lose_nothing() {
    let variant = control_plane::Variant::Delta;
    let trial = Outage { binary: newest(), variant, lasts: Duration::from_secs(25), pause: PAUSE };
    let returned = outage(&trial).await.unwrap();
    assert_eq!(returned.tally.lost, 0, "{returned:?}");
    assert!(returned.reconnect <= BACK_WITHIN, "{returned:?}");
    assert_eq!(returned.trouble, Trouble::default());
}

#[tokio::test(flavor = "multi_thread")]
async fn being_told_the_same_again_changes_nothing() {
    for binary in [newest(), oldest()] {
        for variant in VARIANTS {
            let trial = Outage { binary: binary.clone(), variant, lasts: Duration::from_millis(500), pause: PAUSE };
            let returned = outage(&trial).await.unwrap();
            assert_eq!(returned.changes, Changes::default(), "{variant:?}: {returned:?}");
            assert_eq!(returned.tally.lost, 0, "{variant:?}: {returned:?}");
            assert_eq!(returned.trouble, Trouble::default(), "{variant:?}");
            assert!(returned.converged <= AT_ONCE, "{variant:?}: {returned:?}");
        }
    }
}
