//! Real Envoys take random meshes as they are; `cargo run --example random_meshes` shows them more.

use indicatif::ProgressBar;
use meshwright::validate::{Seen, every_new_proxy};
use random::Supplied;

#[test]
fn envoy_takes_random_meshes_without_a_word() {
    let envoy = local::find(None).unwrap();
    let mut seen = Seen::new();
    for seed in 0..4 {
        let mesh = random::mesh(seed, 40, &Supplied { module: artifacts::MODULE }).unwrap();
        let (verdicts, _) = every_new_proxy(&envoy, &mesh.checked, &mut seen, &ProgressBar::hidden()).unwrap();
        assert_eq!(verdicts, [], "seed {seed}: {}", mesh.text);
    }
}
