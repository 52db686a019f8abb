//! What is published follows the files.

use std::fs;
use std::os::unix::fs::symlink;
use std::sync::Arc;
use std::time::{Duration, Instant};

use control_plane::reconcile::{Patience, Policy};
use control_plane::status::{From, Outcome};
use control_plane::store::{FolderStore, Store};
use control_plane::{Metrics, reconcile};
use meshwright_control_plane as control_plane;

use crate::world::{Compiler, Sources, options, start, start_with, until_status, until_told};

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_is_published_within_a_second() {
    let sources = Sources::with("proxy a\ncluster x\nend");
    let (mut reconciler, _) = start(&sources);
    until_told(&mut reconciler, "a: cds/x").await;
    let begun = Instant::now();
    sources.write("proxy a\ncluster x\ncluster y\nend");
    until_told(&mut reconciler, "a: cds/x cds/y").await;
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn touching_a_file_compiles_and_publishes_nothing() {
    let sources = Sources::with("proxy a\ncluster x\nend");
    let (mut reconciler, compiler) = start(&sources);
    until_told(&mut reconciler, "a: cds/x").await;
    reconciler.published.borrow_and_update();
    for _ in 0..5 {
        fs::File::options()
            .write(true)
            .open(sources.mesh())
            .unwrap()
            .set_modified(std::time::SystemTime::now())
            .unwrap();
        sources.write("proxy a\ncluster x\nend");
        sources.rename("proxy a\ncluster x\nend");
    }
    // Something that is published, after all of that was seen.
    sources.write("proxy a\ncluster y\nend");
    until_told(&mut reconciler, "a: cds/x cds/y").await;
    assert_eq!(compiler.runs(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_text_of_the_same_meaning_publishes_nothing() {
    let sources = Sources::with("proxy a\ncluster x\nend");
    let (mut reconciler, compiler) = start(&sources);
    until_told(&mut reconciler, "a: cds/x").await;
    reconciler.published.borrow_and_update();
    sources.write("proxy a\n\ncluster x\nend");
    let status = until_status(&mut reconciler, |status| {
        status.reconcile.as_ref().is_some_and(|reconcile| reconcile.outcome == Outcome::Unchanged)
    });
    status.await;
    assert_eq!(compiler.runs(), 2);
    assert!(!reconciler.published.has_changed().unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mistake_changes_nothing_and_is_told_until_it_is_mended() {
    let sources = Sources::with("proxy a\ncluster x\nend");
    let (mut reconciler, _) = start(&sources);
    until_told(&mut reconciler, "a: cds/x").await;
    reconciler.published.borrow_and_update();
    sources.write("wrong\nend");
    let status = until_status(&mut reconciler, |status| status.stale.is_some()).await;
    assert_eq!(status.stale.as_deref(), Some("the mesh has 1 error"));
    let told = status.reconcile.unwrap();
    assert_eq!((told.outcome, &told.findings[..]), (Outcome::Invalid, &["error: something is wrong".to_owned()][..]));
    assert!(!reconciler.published.has_changed().unwrap());
    let begun = Instant::now();
    sources.write("proxy a\ncluster x\ncluster y\nend");
    until_told(&mut reconciler, "a: cds/x cds/y").await;
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    until_status(&mut reconciler, |status| status.stale.is_none()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_are_included_are_followed_too() {
    let sources = Sources::with("proxy a\ninclude part\nend");
    fs::create_dir(sources.path("folder")).unwrap();
    fs::write(sources.path("part"), "include folder/deep\nend").unwrap();
    fs::write(sources.path("folder/deep"), "cluster x\nend").unwrap();
    let (mut reconciler, _) = start(&sources);
    until_told(&mut reconciler, "a: cds/x").await;
    fs::write(sources.path("folder/deep"), "cluster x\ncluster y\nend").unwrap();
    until_told(&mut reconciler, "a: cds/x cds/y").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_included_file_that_is_missing_is_read_when_it_appears() {
    let sources = Sources::with("proxy a\ncluster x\ninclude folder/part\nend");
    let (mut reconciler, _) = start(&sources);
    until_status(&mut reconciler, |status| status.stale.as_ref().is_some_and(|stale| stale.contains("folder/part")))
        .await;
    fs::create_dir(sources.path("folder")).unwrap();
    fs::write(sources.path("folder/part"), "cluster y\nend").unwrap();
    until_told(&mut reconciler, "a: cds/x cds/y").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_vanishes_keeps_what_is_served_until_it_returns() {
    let sources = Sources::with("");
    let folder = sources.path("conf");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("mesh"), "proxy a\ncluster x\nend").unwrap();
    let mesh = folder.join("mesh");
    let mut reconciler = start_with(options(&mesh), Compiler::of(&mesh));
    until_told(&mut reconciler, "a: cds/x").await;
    for round in 0..3 {
        fs::remove_dir_all(&folder).unwrap();
        until_status(&mut reconciler, |status| status.stale.as_ref().is_some_and(|it| it.contains("cannot read")))
            .await;
        until_told(&mut reconciler, if round == 0 { "a: cds/x" } else { "a: cds/x cds/y" }).await;
        let begun = Instant::now();
        fs::create_dir(&folder).unwrap();
        fs::write(&mesh, "proxy a\ncluster x\ncluster y\nend").unwrap();
        until_status(&mut reconciler, |status| status.stale.is_none()).await;
        assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    }
    until_told(&mut reconciler, "a: cds/x cds/y").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_is_moved_away_and_back_is_followed() {
    let sources = Sources::with("");
    let folder = sources.path("conf");
    fs::create_dir(&folder).unwrap();
    let mesh = folder.join("mesh");
    fs::write(&mesh, "proxy a\ncluster x\nend").unwrap();
    let mut reconciler = start_with(options(&mesh), Compiler::of(&mesh));
    until_told(&mut reconciler, "a: cds/x").await;
    fs::rename(&folder, sources.path("away")).unwrap();
    until_status(&mut reconciler, |status| status.stale.is_some()).await;
    fs::write(sources.path("away/mesh"), "proxy a\ncluster x\ncluster y\nend").unwrap();
    fs::rename(sources.path("away"), &folder).unwrap();
    until_told(&mut reconciler, "a: cds/x cds/y").await;
    fs::write(&mesh, "proxy a\ncluster x\ncluster y\ncluster z\nend").unwrap();
    until_told(&mut reconciler, "a: cds/x cds/y cds/z").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn links_that_are_swapped_are_followed() {
    let sources = Sources::with("");
    fs::remove_file(sources.mesh()).unwrap();
    let version = |number: u32, text: &str| {
        let folder = sources.path(&format!("..{number}"));
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("mesh"), text).unwrap();
        symlink(format!("..{number}"), sources.path("..next")).unwrap();
        fs::rename(sources.path("..next"), sources.path("..data")).unwrap();
    };
    version(1, "proxy a\ncluster x\nend");
    symlink("..data/mesh", sources.mesh()).unwrap();
    let (mut reconciler, _) = start(&sources);
    until_told(&mut reconciler, "a: cds/x").await;
    version(2, "proxy a\ncluster x\ncluster y\nend");
    fs::remove_dir_all(sources.path("..1")).unwrap();
    until_told(&mut reconciler, "a: cds/x cds/y").await;
    // In the folder that the link leads to now.
    fs::write(sources.path("..2/mesh"), "proxy a\ncluster x\ncluster y\ncluster z\nend").unwrap();
    until_told(&mut reconciler, "a: cds/x cds/y cds/z").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_that_drops_too_much_is_held_until_it_is_allowed() {
    let sources = Sources::with("proxy a\nproxy b\nproxy c\nproxy d\nend");
    let (mut reconciler, _) = start(&sources);
    until_told(&mut reconciler, "a:\nb:\nc:\nd:").await;
    sources.write("proxy a\nend");
    let status = until_status(&mut reconciler, |status| status.held.is_some()).await;
    let held = status.held.unwrap();
    assert_eq!(held.reason, "3 of 4 proxies would leave, more than 30 %");
    assert!(status.stale.unwrap().contains(&held.reason));
    assert_eq!(status.reconcile.unwrap().outcome, Outcome::Held);
    assert_eq!(reconciler.published.borrow().views().count(), 4);
    let allow = reconciler.allow();
    assert!(allow("0123".to_owned()).await.is_err());
    allow(held.digest.clone()).await.unwrap();
    let status = until_status(&mut reconciler, |status| status.held.is_none()).await;
    assert_eq!((status.stale, status.serving.unwrap().digest), (None, held.digest.clone()));
    assert!(allow(held.digest).await.is_err(), "it is held no longer");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_later_state_takes_the_place_of_a_held_one() {
    let sources = Sources::with("proxy a\nproxy b\nproxy c\nproxy d\nend");
    let (mut reconciler, _) = start(&sources);
    until_told(&mut reconciler, "a:\nb:\nc:\nd:").await;
    sources.write("proxy a\nend");
    let held = until_status(&mut reconciler, |status| status.held.is_some()).await.held.unwrap();
    sources.write("proxy a\nproxy b\nproxy c\nproxy d\nproxy e\nend");
    until_told(&mut reconciler, "a:\nb:\nc:\nd:\ne:").await;
    until_status(&mut reconciler, |status| status.held.is_none() && status.stale.is_none()).await;
    assert!(reconciler.allow()(held.digest).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_compiles_is_published_where_all_is_allowed() {
    let sources = Sources::with("proxy a\nproxy b\nproxy c\nproxy d\nend");
    let mut options = options(&sources.mesh());
    options.policy = Policy { limits: None, grace: Duration::ZERO };
    let mut reconciler = start_with(options, Compiler::of(&sources.mesh()));
    until_told(&mut reconciler, "a:\nb:\nc:\nd:").await;
    sources.write("proxy a\nend");
    until_told(&mut reconciler, "a:").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_left_the_mesh_goes_when_its_grace_is_over() {
    let sources = Sources::with("proxy a\ncluster x\ncluster y\nend");
    let mut options = options(&sources.mesh());
    options.policy.grace = Duration::from_millis(500);
    let mut reconciler = start_with(options, Compiler::of(&sources.mesh()));
    until_told(&mut reconciler, "a: cds/x cds/y").await;
    sources.write("proxy a\ncluster y\nend");
    until_status(&mut reconciler, |status| status.tombstones == 1).await;
    let begun = Instant::now();
    until_told(&mut reconciler, "a: cds/y").await;
    assert!(begun.elapsed() > Duration::from_millis(300), "{:?}", begun.elapsed());
    until_status(&mut reconciler, |status| status.tombstones == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_reports_of_changes_files_are_found_by_looking() {
    let sources = Sources::with("proxy a\ncluster x\nend");
    let mut options = options(&sources.mesh());
    options.poll = Duration::from_millis(100);
    // Reports are believed only after so long: what follows was not reported.
    options.patience = Patience { quiet: Duration::from_millis(50), ..Patience::default() };
    let mut reconciler = start_with(options, Compiler::of(&sources.mesh()));
    until_told(&mut reconciler, "a: cds/x").await;
    sources.write("proxy a\ncluster x\ncluster y\nend");
    until_told(&mut reconciler, "a: cds/x cds/y").await;
}

fn keep(sources: &Sources) -> Option<Arc<dyn Store>> {
    Some(Arc::new(FolderStore::open(&sources.path("state")).unwrap()))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_served_last_is_served_again_before_anything_is_read() {
    let sources = Sources::with("proxy a\ncluster x\nend");
    let options = options(&sources.mesh());
    let compiler = Compiler::of(&sources.mesh());
    let mut first = reconcile::start(options.clone(), compiler.clone(), keep(&sources), Metrics::default());
    until_told(&mut first, "a: cds/x").await;
    let digest = first.published.borrow().digest.clone();
    first.stop().await;
    fs::remove_file(sources.mesh()).unwrap();
    let mut second = reconcile::start(options, compiler, keep(&sources), Metrics::default());
    let serving = second.status.borrow().serving.clone().unwrap();
    assert_eq!((serving.from, serving.digest), (From::Stored, digest.clone()));
    assert!(second.status.borrow().stale.is_some());
    assert_eq!(second.published.borrow().digest, digest);
    until_status(&mut second, |status| status.stale.as_ref().is_some_and(|stale| stale.contains("cannot read"))).await;
    sources.write("proxy a\ncluster x\nend");
    let status = until_status(&mut second, |status| status.stale.is_none()).await;
    let serving = status.serving.unwrap();
    assert_eq!((serving.from, serving.digest), (From::Compiled, digest));
    second.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tombstones_survive_a_restart() {
    let sources = Sources::with("proxy a\ncluster x\ncluster y\nend");
    let options = options(&sources.mesh());
    let compiler = Compiler::of(&sources.mesh());
    let mut first = reconcile::start(options.clone(), compiler.clone(), keep(&sources), Metrics::default());
    until_told(&mut first, "a: cds/x cds/y").await;
    sources.write("proxy a\ncluster y\nend");
    until_status(&mut first, |status| status.tombstones == 1).await;
    first.stop().await;
    let mut second = reconcile::start(options, compiler, keep(&sources), Metrics::default());
    until_status(&mut second, |status| status.stale.is_none()).await;
    assert_eq!(second.status.borrow().tombstones, 1);
    until_told(&mut second, "a: cds/x cds/y").await;
    second.stop().await;
}

/// A disk that refuses everything.
struct Full;

impl Store for Full {
    fn load(&self) -> control_plane::store::Loaded {
        Default::default()
    }

    fn save(&self, _: &control_plane::published::State) -> Result<(), control_plane::store::StoreError> {
        let error = std::io::Error::from(std::io::ErrorKind::StorageFull);
        Err(control_plane::store::StoreError::Write { path: "/state/x".to_owned(), error })
    }

    fn place(&self) -> String {
        "/state".to_owned()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_stops_nothing_but_is_told() {
    let sources = Sources::with("proxy a\ncluster x\nend");
    let compiler = Compiler::of(&sources.mesh());
    let options = options(&sources.mesh());
    let mut reconciler = reconcile::start(options, compiler, Some(Arc::new(Full)), Metrics::default());
    until_told(&mut reconciler, "a: cds/x").await;
    let status = until_status(&mut reconciler, |status| status.store_error.is_some()).await;
    assert_eq!(status.store_error.as_deref(), Some("cannot write /state/x: no storage space"));
    sources.write("proxy a\ncluster x\ncluster y\nend");
    until_told(&mut reconciler, "a: cds/x cds/y").await;
    reconciler.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_that_read_the_same_serve_the_same() {
    let sources = Sources::with("proxy b\ncluster x\nproxy a\ncluster y\ncluster x\nend");
    let other = Sources::with("proxy a\ncluster x\ncluster y\nproxy b\ncluster x\nend");
    let (mut first, _) = start(&sources);
    let (mut second, _) = start(&other);
    until_told(&mut first, "a: cds/x cds/y\nb: cds/x").await;
    until_told(&mut second, "a: cds/x cds/y\nb: cds/x").await;
    let (first, second) = (first.published.borrow().clone(), second.published.borrow().clone());
    assert_eq!(first.digest, second.digest);
    for (name, view) in first.views() {
        assert_eq!(Some(view), second.view(name));
    }
}
