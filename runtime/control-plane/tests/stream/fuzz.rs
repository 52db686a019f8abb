//! What the fuzzer found worth keeping still holds.

#[path = "../../fuzz/src/laws.rs"]
mod laws;

use std::fs;
use std::path::Path;

#[test]
fn stream_corpus() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/stream");
    let mut files: Vec<_> =
        fs::read_dir(&folder).expect("a corpus").map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{} is empty", folder.display());
    for file in files {
        laws::stream(&fs::read(&file).expect("a readable file"));
    }
}
