//! What runs is a source that nobody edits: the guard holds back what people did, not what happened.

use std::fs;
use std::sync::Arc;

use control_plane::reconcile::{self, Options, Reconciler};
use control_plane::status::Outcome;
use control_plane::store::{FolderStore, Store};
use control_plane::{Metrics, Published};
use meshwright_control_plane as control_plane;

use crate::world::{Compiler, Sources, options, until_status, until_told};

/// A mesh of one proxy that includes what runs.
fn sources(mesh: &str, runs: &str) -> Sources {
    let sources = Sources::with(&format!("proxy a\n{mesh}\ninclude observed\nend"));
    runs_now(&sources, runs);
    sources
}

fn edit(sources: &Sources, mesh: &str) {
    sources.rename(&format!("proxy a\n{mesh}\ninclude observed\nend"));
}

fn runs_now(sources: &Sources, runs: &str) {
    let beside = sources.path("observed.new");
    fs::write(&beside, format!("{runs}\nend")).unwrap();
    fs::rename(beside, sources.path("observed")).unwrap();
}

fn following(sources: &Sources) -> Options {
    Options { observed: Some(sources.path("observed")), ..options(&sources.mesh()) }
}

fn start(sources: &Sources, store: Option<Arc<dyn Store>>) -> Reconciler {
    reconcile::start(following(sources), Compiler::of(&sources.mesh()), store, Metrics::default())
}

async fn until_outcome(reconciler: &mut Reconciler, outcome: Outcome) {
    until_status(reconciler, |status| status.reconcile.as_ref().is_some_and(|it| it.outcome == outcome)).await;
}

async fn until(reconciler: &mut Reconciler, is_so: impl FnMut(&Arc<Published>) -> bool) {
    let waiting = reconciler.published.wait_for(is_so);
    drop(tokio::time::timeout(crate::world::PATIENCE, waiting).await.expect("in time").unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_runs_no_more_leaves_at_once_and_an_edit_that_does_as_much_is_held() {
    let sources = sources("cluster x\ncluster y\ncluster z\ncluster w", "endpoints x 10");
    let mut reconciler = start(&sources, None);
    until_told(&mut reconciler, "a: cds/w cds/x cds/y cds/z eds/x").await;
    let digest = reconciler.published.borrow().digest.clone();
    runs_now(&sources, "endpoints x 0");
    until(&mut reconciler, |published| published.digest != digest).await;
    until_outcome(&mut reconciler, Outcome::Published).await;
    edit(&sources, "cluster x");
    until_outcome(&mut reconciler, Outcome::Held).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_that_is_held_stays_held_whatever_runs() {
    let sources = sources("cluster x\ncluster y\ncluster z\ncluster w", "endpoints x 1");
    let mut reconciler = start(&sources, None);
    until_told(&mut reconciler, "a: cds/w cds/x cds/y cds/z eds/x").await;
    edit(&sources, "cluster x");
    until_outcome(&mut reconciler, Outcome::Held).await;
    let first = reconciler.status.borrow().held.clone().unwrap().digest;
    runs_now(&sources, "endpoints x 2");
    let held = until_status(&mut reconciler, |status| status.held.as_ref().is_some_and(|it| it.digest != first)).await;
    let digest = held.held.unwrap().digest;
    // Once it is allowed, what runs goes on.
    (reconciler.allow())(digest).await.unwrap();
    runs_now(&sources, "endpoints x 0\ncluster new");
    until(&mut reconciler, |published| published.view("a").unwrap().of(crate::world::CLUSTERS).get("new").is_some())
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_at_all_is_held_also_when_nobody_edited_it() {
    let sources = Sources::with("include observed\nend");
    runs_now(&sources, "proxy a\ncluster x");
    let mut reconciler = start(&sources, None);
    until_told(&mut reconciler, "a: cds/x").await;
    runs_now(&sources, "");
    until_outcome(&mut reconciler, Outcome::Held).await;
    runs_now(&sources, "proxy b\ncluster x");
    until(&mut reconciler, |published| published.mesh().contains_key("b")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_left_while_the_control_plane_was_away_is_believed_when_it_is_back() {
    let sources = sources("cluster x\ncluster y\ncluster z\ncluster w", "endpoints x 10");
    let folder = tempfile::tempdir().unwrap();
    let mut reconciler = start(&sources, Some(Arc::new(FolderStore::open(folder.path()).unwrap())));
    until_told(&mut reconciler, "a: cds/w cds/x cds/y cds/z eds/x").await;
    reconciler.stop().await;
    runs_now(&sources, "cluster back\nendpoints x 1");
    let mut reconciler = start(&sources, Some(Arc::new(FolderStore::open(folder.path()).unwrap())));
    until_told(&mut reconciler, "a: cds/back cds/w cds/x cds/y cds/z eds/x").await;
    reconciler.stop().await;
    edit(&sources, "cluster x");
    let mut reconciler = start(&sources, Some(Arc::new(FolderStore::open(folder.path()).unwrap())));
    until_outcome(&mut reconciler, Outcome::Held).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_is_replaced_is_a_change_although_no_proxy_is_told_anything_new() {
    let sources = sources("cluster x", "alias prod/1 a");
    let folder = tempfile::tempdir().unwrap();
    let mut reconciler = start(&sources, Some(Arc::new(FolderStore::open(folder.path()).unwrap())));
    until(&mut reconciler, |published| published.proxy("prod/1") == Some("a")).await;
    let digest = reconciler.published.borrow().digest.clone();
    runs_now(&sources, "alias prod/2 a");
    until(&mut reconciler, |published| published.proxy("prod/2") == Some("a")).await;
    let published = Arc::clone(&reconciler.published.borrow());
    assert_eq!(published.proxy("prod/1"), None);
    assert_ne!(published.digest, digest);
    reconciler.stop().await;
    let kept = FolderStore::open(folder.path()).unwrap().load();
    let kept = kept.published(std::time::Duration::ZERO, std::time::Duration::ZERO).unwrap();
    assert_eq!((kept.proxy("prod/2"), &kept.digest), (Some("a"), &published.digest));
}

#[tokio::test(flavor = "multi_thread")]
async fn trouble_of_whoever_finds_out_what_runs_makes_what_is_served_stale() {
    let sources = sources("cluster x", "");
    let mut reconciler = start(&sources, None);
    until_told(&mut reconciler, "a: cds/x").await;
    let trouble = reconciler.trouble();
    trouble(Some("ECS was not read for 60 s".to_owned()));
    until_status(&mut reconciler, |status| status.stale.as_deref() == Some("ECS was not read for 60 s")).await;
    edit(&sources, "cluster y");
    until_outcome(&mut reconciler, Outcome::Published).await;
    assert!(reconciler.status.borrow().stale.is_some());
    trouble(None);
    until_status(&mut reconciler, |status| status.stale.is_none()).await;
}
