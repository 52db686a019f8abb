//! A process that dies, or whose disk is full, while it writes: a complete state is there all the same.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use control_plane::Published;
use control_plane::published::State;
use control_plane::store::{FolderStore, Store};
use meshwright_control_plane as control_plane;

use crate::world::views;

/// Tells the child of these tests, which is the same program, where to write, and what.
const FOLDER: &str = "MESHWRIGHT_TEST_FOLDER";
const FIRST: &str = "MESHWRIGHT_TEST_FIRST";
const KILLS: u64 = 60;
const CLUSTERS: usize = 100;

/// So many clusters that all have the same content.
fn state(number: u64, clusters: usize) -> State {
    let clusters: String = (0..clusters).map(|index| format!("cluster c{index} {number}\n")).collect();
    State::of_published(&Published::with_views(views(&format!("proxy a\n{clusters}"))))
}

/// Empty unless it is the child.
#[test]
fn child_that_saves_until_it_is_killed() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let store = FolderStore::open(Path::new(&folder)).unwrap();
    let first: u64 = std::env::var(FIRST).unwrap().parse().unwrap();
    let states: Vec<State> = (first..first + 5).map(|number| state(number, CLUSTERS)).collect();
    println!("saving");
    for state in states.iter().cycle() {
        store.save(state).unwrap();
    }
}

#[test]
fn whenever_the_process_is_killed_a_complete_state_is_loaded_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("state");
    FolderStore::open(&place).unwrap().save(&state(0, CLUSTERS)).unwrap();
    let mut loading = Duration::ZERO;
    let mut seen = BTreeSet::new();
    for kill in 0..KILLS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "killed::child_that_saves_until_it_is_killed", "--nocapture"])
            .env(FOLDER, &place)
            .env(FIRST, (kill * 5).to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        assert!(stdout.lines().map_while(Result::ok).any(|line| line.contains("saving")));
        // Spread over what a save takes: there is nothing to wait for but the moment itself.
        std::thread::sleep(Duration::from_micros(kill * 731 % 40_000));
        child.kill().unwrap();
        child.wait().unwrap();
        let begun = Instant::now();
        let loaded = FolderStore::open(&place).unwrap().load();
        loading = loading.max(begun.elapsed());
        assert!(loaded.skipped.is_empty(), "{:?}", loaded.skipped);
        let published = loaded.published(Duration::ZERO, Duration::ZERO).unwrap();
        let contents: BTreeSet<Vec<u8>> = published
            .view("a")
            .unwrap()
            .of(compiler::snapshot::ResourceKind::Cluster)
            .iter()
            .map(|served| served.bytes.to_vec())
            .collect();
        assert_eq!(contents.len(), 1, "a mixture of states");
        seen.extend(contents);
    }
    println!("{KILLS} kills, {} different states found, loaded within {loading:?}", seen.len());
    assert!(loading < Duration::from_secs(1), "{loading:?}");
}

/// Empty unless it is the child: a small state, then one that the limit of the file size does not allow.
#[test]
fn child_whose_disk_is_full() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let store = FolderStore::open(Path::new(&folder)).unwrap();
    store.save(&state(1, 1)).unwrap();
    let error = store.save(&state(2, 5000)).unwrap_err();
    println!("refused: {error}");
}

#[test]
fn a_full_disk_keeps_the_state_before_and_leaves_nothing_half() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("state");
    let script = "trap '' XFSZ; ulimit -f 16; exec \"$0\" \"$@\"";
    let mut child = Command::new("sh")
        .args(["-c", script])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "killed::child_whose_disk_is_full", "--nocapture"])
        .env(FOLDER, &place)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = String::new();
    child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(child.wait().unwrap().success(), "{said}");
    assert!(said.contains("refused: cannot write") && said.contains("File too large"), "{said}");
    let published = FolderStore::open(&place).unwrap().load().published(Duration::ZERO, Duration::ZERO).unwrap();
    assert_eq!(published.view("a").unwrap().of(compiler::snapshot::ResourceKind::Cluster).len(), 1);
    let left: Vec<_> = std::fs::read_dir(&place).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 3, "{left:?}");
}
