//! What the fuzzer found worth keeping still holds.

#[path = "../../fuzz/src/conversation.rs"]
#[allow(unreachable_pub, reason = "of a crate of its own")]
mod conversation;
#[path = "../../fuzz/src/laws.rs"]
#[allow(unreachable_pub, reason = "of a crate of its own")]
mod laws;
#[path = "../../fuzz/src/world.rs"]
#[allow(unreachable_pub, reason = "of a crate of its own")]
mod world;

use std::fs;
use std::path::Path;

use conversation::Conversation;
use meshwright_policy::testdata::tables;

fn replay(target: &str, law: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target);
    let files = fs::read_dir(&folder).expect("a corpus").map(|entry| entry.expect("an entry").path());
    let mut files: Vec<_> = files.collect();
    files.sort();
    assert!(!files.is_empty(), "{} is empty", folder.display());
    for file in files {
        law(&fs::read(&file).expect("a readable file"));
    }
}

#[test]
fn conversations() {
    replay("decide", |bytes| laws::decide(bytes, false));
}

#[test]
fn files_of_users() {
    replay("htpasswd", laws::htpasswd);
}

#[test]
fn header_maps() {
    replay("pairs", laws::pairs);
}

#[test]
fn every_case_of_the_tables_is_a_conversation_in_which_every_law_holds() {
    for table in tables().expect("the tables are well-formed") {
        for case in &table.cases {
            laws::decide(&Conversation::seed(table.root_id, &table.configs[&case.config], case), false);
        }
    }
}
