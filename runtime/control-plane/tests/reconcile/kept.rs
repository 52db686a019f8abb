//! States on disk: the newest whole one is found, whatever happened to the others.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use control_plane::Published;
use control_plane::published::State;
use control_plane::store::{FolderStore, Store, StoreError};
use meshwright_control_plane as control_plane;
use tempfile::TempDir;

use crate::world::{told, views};

fn state(name: &str) -> State {
    State::of_published(&Published::with_views(views(&format!("proxy a\ncluster {name}"))))
}

fn open() -> (TempDir, FolderStore) {
    let folder = tempfile::tempdir().unwrap();
    let store = FolderStore::open(&folder.path().join("state")).unwrap();
    (folder, store)
}

fn found(store: &FolderStore) -> Option<String> {
    let published = store.load().published(Duration::ZERO, Duration::ZERO)?;
    Some(told(&published).trim().to_owned())
}

fn states(store: &FolderStore) -> Vec<PathBuf> {
    let entries = fs::read_dir(store.place()).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.extension().is_some_and(|extension| extension == "state")).collect()
}

/// The file that the pointer names.
fn newest(store: &FolderStore) -> PathBuf {
    let folder = Path::new(&store.place()).to_owned();
    folder.join(fs::read_to_string(folder.join("current")).unwrap().trim())
}

#[test]
fn an_empty_folder_has_no_state() {
    let (_folder, store) = open();
    assert_eq!(found(&store), None);
}

#[test]
fn the_newest_state_is_found_and_three_are_kept() {
    let (_folder, store) = open();
    for name in ["one", "two", "three", "four", "two"] {
        store.save(&state(name)).unwrap();
    }
    assert_eq!(found(&store).unwrap(), "a: cds/two");
    assert_eq!(states(&store).len(), 3);
}

#[test]
fn halves_that_a_killed_process_left_are_cleared_away() {
    let (_folder, store) = open();
    let half = Path::new(&store.place()).join("0123.state.tmp");
    fs::write(&half, "half").unwrap();
    store.save(&state("one")).unwrap();
    assert!(!half.exists());
    assert_eq!(found(&store).unwrap(), "a: cds/one");
}

#[test]
fn nobody_else_can_read_it() {
    let (_folder, store) = open();
    store.save(&state("one")).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(Path::new(&store.place())), 0o700);
    assert_eq!(mode(&newest(&store)), 0o600);
}

/// The newest file is damaged in this way: the one before it is served, and the damage is told.
fn damaged(damage: impl FnOnce(&Path), reason: &str) {
    let (_folder, store) = open();
    store.save(&state("old")).unwrap();
    store.save(&state("new")).unwrap();
    damage(&newest(&store));
    assert_eq!(found(&store).as_deref(), Some("a: cds/old"));
    let skipped = store.load().skipped;
    assert!(matches!(&skipped[..], [(_, said)] if said.contains(reason)), "{skipped:?}");
}

fn edit(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).unwrap();
    change(&mut bytes);
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_truncated_state_is_not_served() {
    damaged(|path| edit(path, |bytes| bytes.truncate(bytes.len() - 1)), "bytes are there");
}

#[test]
fn an_empty_file_is_not_served() {
    damaged(|path| edit(path, Vec::clear), "it is no state of a control plane");
}

#[test]
fn a_state_with_one_other_bit_is_not_served() {
    damaged(|path| edit(path, |bytes| *bytes.last_mut().unwrap() ^= 1), "its bytes are not those that were written");
}

#[test]
fn a_state_of_another_form_is_not_served() {
    for schema in [0, 2, 255] {
        damaged(|path| edit(path, |bytes| bytes[8] = schema), &format!("its form is {schema}"));
    }
}

#[test]
fn whatever_bit_is_flipped_and_wherever_it_is_cut_nothing_wrong_is_served() {
    let (_folder, store) = open();
    store.save(&state("only")).unwrap();
    let path = newest(&store);
    let whole = fs::read(&path).unwrap();
    for place in 0..whole.len() {
        let mut flipped = whole.clone();
        flipped[place] ^= 0x10;
        fs::write(&path, flipped).unwrap();
        assert_eq!(found(&store), None, "bit of byte {place}");
        fs::write(&path, &whole[..place]).unwrap();
        assert_eq!(found(&store), None, "cut at {place}");
    }
}

#[test]
fn foreign_files_and_strange_pointers_are_no_obstacle() {
    let (_folder, store) = open();
    store.save(&state("one")).unwrap();
    let folder = PathBuf::from(store.place());
    fs::write(folder.join("notes.state"), "remember the milk").unwrap();
    fs::create_dir(folder.join("folder.state")).unwrap();
    fs::write(folder.join("half.state.tmp"), "half").unwrap();
    for pointer in ["../../etc/passwd", "missing.state", "", "notes.state", "\u{0}"] {
        fs::write(folder.join("current"), pointer).unwrap();
        assert_eq!(found(&store).as_deref(), Some("a: cds/one"), "{pointer:?}");
    }
    fs::remove_file(folder.join("current")).unwrap();
    assert_eq!(found(&store).as_deref(), Some("a: cds/one"));
}

#[test]
fn a_folder_that_somebody_removed_is_made_again() {
    let (_folder, store) = open();
    store.save(&state("one")).unwrap();
    fs::remove_dir_all(store.place()).unwrap();
    store.save(&state("two")).unwrap();
    assert_eq!(found(&store).as_deref(), Some("a: cds/two"));
}

#[test]
fn a_second_process_reads_and_does_not_write_until_the_first_has_ended() {
    let (_folder, store) = open();
    store.save(&state("first")).unwrap();
    let second = FolderStore::open(Path::new(&store.place())).unwrap();
    assert_eq!(found(&second).as_deref(), Some("a: cds/first"));
    assert!(matches!(second.save(&state("second")), Err(StoreError::InUse { .. })));
    drop(store);
    second.save(&state("second")).unwrap();
    assert_eq!(found(&second).as_deref(), Some("a: cds/second"));
}
