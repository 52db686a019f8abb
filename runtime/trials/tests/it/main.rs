//! Every trial small, on the newest and the oldest Envoy, in both variants of the protocol.

mod between;
mod crowd;
mod endpoints;
mod failover;
mod outage;
mod refused;
mod swap;

use std::time::Duration;

use control_plane::Variant;
use local::EnvoyBinary;

const VARIANTS: [Variant; 2] = [Variant::StateOfTheWorld, Variant::Delta];

fn newest() -> EnvoyBinary {
    local::find(None).unwrap_or_else(|error| panic!("{error}"))
}

fn oldest() -> EnvoyBinary {
    local::envoy::find_oldest().unwrap_or_else(|error| panic!("{error}"))
}

/// Between requests of a connection: other tests want to get on as well.
const PAUSE: Duration = Duration::from_millis(5);
/// What "at once" means for a person: a machine that is busy with other tests makes no difference to what is lost, and
/// a great one to how fast things are.
const AT_ONCE: Duration = Duration::from_secs(1);
