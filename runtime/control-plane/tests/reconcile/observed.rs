//! What runs is a source that nobody edits: the guard holds back what people did, not what happened.

use std::fs;
use std::sync::Arc;

use compiler::import::ecs::Wants;
use compiler::snapshot::ResourceKind;
use control_plane::reconcile::{self, Options, Reconciler};
use control_plane::status::{Held, Outcome};
use control_plane::store::{FolderStore, Store};
use control_plane::{Metrics, Published};
use envoy::config::endpoint::v3::ClusterLoadAssignment;
use meshwright_control_plane as control_plane;
use prost::Message as _;

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

const WIDE: &str = "cluster x\ncluster y\ncluster z\ncluster w";
const WIDE_TOLD: &str = "a: cds/w cds/x cds/y cds/z eds/x";

async fn until_wanted(reconciler: &mut Reconciler, clusters: &[&str]) {
    let is_so = |wants: &Option<Wants>| wants.as_ref().is_some_and(|wants| wants.clusters.iter().eq(clusters));
    let waited = tokio::time::timeout(crate::world::PATIENCE, reconciler.wants.wait_for(is_so)).await.is_ok();
    assert!(waited, "{:?}", reconciler.wants.borrow());
}

fn endpoints(published: &Published) -> usize {
    let served = published.view("a").unwrap().of(ResourceKind::Endpoints).get("x").cloned().unwrap();
    let assignment = ClusterLoadAssignment::decode(served.bytes.clone()).unwrap();
    assignment.endpoints.iter().map(|it| it.lb_endpoints.len()).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mesh_with_mistakes_does_not_change_what_is_read() {
    let sources = sources(&format!("{WIDE}\nwants production"), "read production\nendpoints x 10");
    let mut reconciler = start(&sources, None);
    until_told(&mut reconciler, WIDE_TOLD).await;
    until_wanted(&mut reconciler, &["production"]).await;
    edit(&sources, "wrong");
    until_outcome(&mut reconciler, Outcome::Invalid).await;
    assert!(!reconciler.wants.has_changed().unwrap(), "{:?}", reconciler.wants.borrow());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mesh_with_mistakes_asks_for_nothing_also_at_the_beginning() {
    let sources = sources("wrong", "read production");
    let mut reconciler = start(&sources, None);
    until_outcome(&mut reconciler, Outcome::Invalid).await;
    assert_eq!(*reconciler.wants.borrow(), None);
    edit(&sources, "cluster x\nwants production");
    until_wanted(&mut reconciler, &["production"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_nobody_could_read_is_corrected_in_the_file() {
    let sources = sources("wants prodcution\nunobserved", "");
    let mut reconciler = start(&sources, None);
    until_wanted(&mut reconciler, &["prodcution"]).await;
    edit(&sources, "wants production\nunobserved");
    until_wanted(&mut reconciler, &["production"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_an_edit_is_held_what_is_served_is_still_read() {
    let sources = sources(&format!("{WIDE}\nwants production"), "read production\nendpoints x 10");
    let mut reconciler = start(&sources, None);
    until_told(&mut reconciler, WIDE_TOLD).await;
    edit(&sources, "cluster x\nwants staging");
    until_outcome(&mut reconciler, Outcome::Held).await;
    until_wanted(&mut reconciler, &["production", "staging"]).await;
    edit(&sources, &format!("{WIDE}\nwants production"));
    until_outcome(&mut reconciler, Outcome::Unchanged).await;
    until_wanted(&mut reconciler, &["production"]).await;
    edit(&sources, "cluster x\nwants staging");
    until_outcome(&mut reconciler, Outcome::Held).await;
    let held = reconciler.status.borrow().held.clone().unwrap();
    (reconciler.allow())(held.digest).await.unwrap();
    until_wanted(&mut reconciler, &["staging"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_cluster_is_an_edit_also_when_its_tasks_come_later() {
    let sources = sources("cluster x\nwants production", "read production\nendpoints x 10");
    let mut reconciler = start(&sources, None);
    until_wanted(&mut reconciler, &["production"]).await;
    edit(&sources, "cluster x\nwants staging");
    until_wanted(&mut reconciler, &["staging"]).await;
    runs_now(&sources, "read staging\nendpoints x 1");
    until_outcome(&mut reconciler, Outcome::Held).await;
    assert_eq!(endpoints(&reconciler.published.borrow()), 10);
    // The way back leads over both.
    edit(&sources, "cluster x\nwants production");
    until_wanted(&mut reconciler, &["production", "staging"]).await;
    runs_now(&sources, "read production\nendpoints x 10");
    until_wanted(&mut reconciler, &["production"]).await;
    until_status(&mut reconciler, |status| status.stale.is_none()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn other_flags_after_a_restart_are_an_edit() {
    let sources = sources("cluster x", "endpoints x 10");
    let folder = tempfile::tempdir().unwrap();
    let store = || Some(Arc::new(FolderStore::open(folder.path()).unwrap()) as Arc<dyn Store>);
    let with = |flag: &str, store| {
        let options = Options { said: vec![flag.into()], ..following(&sources) };
        reconcile::start(options, Compiler::of(&sources.mesh()), store, Metrics::default())
    };
    let mut reconciler = with("--var=stage=production", store());
    until_told(&mut reconciler, "a: cds/x eds/x").await;
    reconciler.stop().await;
    runs_now(&sources, "endpoints x 1");
    let mut reconciler = with("--var=stage=staging", store());
    until_outcome(&mut reconciler, Outcome::Held).await;
    reconciler.stop().await;
    let mut reconciler = with("--var=stage=production", store());
    until(&mut reconciler, |published| endpoints(published) == 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_that_is_held_is_allowed_under_one_name_whatever_runs_meanwhile() {
    let sources = sources(WIDE, "endpoints x 1");
    let mut reconciler = start(&sources, None);
    until_told(&mut reconciler, WIDE_TOLD).await;
    edit(&sources, "cluster x");
    until_outcome(&mut reconciler, Outcome::Held).await;
    let first = reconciler.status.borrow().held.clone().unwrap();
    runs_now(&sources, "endpoints x 2");
    let differs = |held: &Held| held.digest != first.digest;
    let then = until_status(&mut reconciler, |status| status.held.as_ref().is_some_and(differs)).await.held.unwrap();
    assert_eq!((&then.edit, then.since), (&first.edit, first.since));
    (reconciler.allow())(first.edit.unwrap()).await.unwrap();
    assert_eq!(endpoints(&reconciler.published.borrow()), 2);
    assert!((reconciler.allow())(then.digest).await.is_err(), "once is enough");
}
