//! The committed descriptors are those of the Envoy that we target.

use std::path::Path;
use std::process::Command;

use crate::real_envoy;

#[test]
fn extracting_again_gives_the_committed_set() {
    let descriptors = Path::new(env!("CARGO_MANIFEST_DIR")).join("descriptors");
    let python = real_envoy::environment().join("bin/python");
    assert!(python.exists(), "Python with the package `protobuf` is needed: run `make setup`");
    let folder = tempfile::tempdir().expect("a folder for the extracted set");
    let extracted = folder.path().join("extracted.fds");
    let output = Command::new(python)
        .arg(descriptors.join("extract.py"))
        .args([real_envoy::binary(), extracted.clone()])
        .arg("--roots")
        .arg(descriptors.join("roots.txt"))
        .output()
        .expect("Python runs");
    assert!(
        output.status.success(),
        "the extractor failed; is the package `protobuf` there? run `make setup`\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let extracted = std::fs::read(extracted).expect("the extracted set");
    let committed = std::fs::read(descriptors.join("envoy-1.40.fds")).expect("the committed set");
    assert!(
        extracted == committed,
        "this Envoy's descriptors differ from the committed ones ({} and {} bytes)",
        extracted.len(),
        committed.len()
    );
}
