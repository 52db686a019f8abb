//! Replicas that read the same mesh serve the same bytes, whatever each of them served before.

use std::time::{Duration, Instant};

use compiler::WasmModule;
use compiler::snapshot::Snapshot;
use control_plane::Published;
use control_plane::published::State;
use meshwright_control_plane as control_plane;
use prost::Message as _;
use random::Supplied;

const MESHES: u64 = 20;
const FILES: Supplied =
    Supplied { module: include_bytes!("../../../../compiler/tests/golden/filters-wasm/tenant.wasm") };
const GRACE: Duration = Duration::from_secs(30);

fn state(text: &str) -> State {
    let module = WasmModule { sha256: "0".repeat(64), folder: "filters".to_owned() };
    State::of(&Snapshot::of(&random::check(text, &FILES).unwrap(), &module))
}

#[test]
fn random_meshes_in_any_order_are_the_same_bytes_and_digests_on_three_replicas() {
    let begun = Instant::now();
    // The second replica was there all the time, the third one restarts with every mesh, the first one is always new.
    let (mut lasting, mut restarted) = (Published::default(), Published::default());
    for seed in 0..MESHES {
        let mesh = random::mesh(seed, 12, &FILES).unwrap();
        let states = [0, 1, 2].map(|order| state(&random::shuffled(&mesh.text, order).unwrap()));
        let bytes = states.each_ref().map(State::encode_to_vec);
        assert!(bytes[0] == bytes[1] && bytes[1] == bytes[2], "seed {seed}: {}", mesh.text);
        let [first, second, third] = states;
        let now = Duration::from_secs(seed);
        let fresh = Published::with_views(first.views(&Published::default()));
        lasting = lasting.followed_by(second.views(&lasting), now, GRACE);
        restarted = State::of_published(&restarted).restored(now, GRACE);
        restarted = restarted.followed_by(third.views(&restarted), now, GRACE);
        assert_eq!([&lasting.digest, &restarted.digest], [&fresh.digest; 2], "seed {seed}");
        assert_eq!(lasting.mesh(), fresh.mesh(), "seed {seed}");
        let later = now + GRACE;
        for replica in [&lasting, &restarted] {
            assert_eq!(replica.expired(later).as_ref().unwrap_or(replica), &fresh, "seed {seed}");
        }
    }
    println!("{MESHES} random meshes, 3 replicas, shuffled: equal bytes and digests in {:?}", begun.elapsed());
}
