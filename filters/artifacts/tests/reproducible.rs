//! The module's bytes depend on its sources alone, not on where they are built.

#[path = "../build/compile.rs"]
mod compile;
#[path = "../build/prune.rs"]
mod prune;

use std::path::Path;
use std::{fs, io};

use tempfile::TempDir;

#[test]
fn another_folder_gives_the_same_bytes() {
    let elsewhere = TempDir::new().expect("a temporary folder");
    let copy = elsewhere.path().join("a copy");
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("a workspace");
    copy_sources(workspace, &copy).expect("the sources can be copied");

    let target = elsewhere.path().join("target");
    let linked = compile::compile(&copy, "meshwright-module", "wasm32-unknown-unknown", &target).expect("it builds");
    let linked = fs::read(linked).expect("the module is there");
    let module = prune::prune(&linked).expect("the module is good");
    assert!(module == meshwright_artifacts::MODULE, "the bytes depend on the folder");
}

fn copy_sources(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (kind, name) = (entry.file_type()?, entry.file_name());
        if kind.is_dir() && name != "target" && name != ".git" {
            copy_sources(&entry.path(), &to.join(name))?;
        } else if kind.is_file() {
            fs::copy(entry.path(), to.join(name))?;
        }
    }
    Ok(())
}
