//! What the fuzzer found worth keeping still holds.

#[path = "../../fuzz/src/laws.rs"]
mod laws;

use std::fs;
use std::path::Path;

fn replay(target: &str, law: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let files = fs::read_dir(&folder).expect("a corpus").map(|entry| entry.expect("an entry").path());
    let mut files: Vec<_> = files.collect();
    files.sort();
    assert!(!files.is_empty(), "{} is empty", folder.display());
    for file in files {
        law(&fs::read(&file).expect("a readable file"));
    }
}

#[test]
fn kdl_corpus() {
    replay("kdl", laws::kdl);
}

#[test]
fn yaml_corpus() {
    replay("yaml", laws::yaml);
}

#[test]
fn decode_corpus() {
    replay("decode", laws::decode);
}

#[test]
fn format_corpus() {
    replay("format", laws::layout);
}
