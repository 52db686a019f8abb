//! A compiler that panics or hangs changes nothing that is served, and gets another try.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use control_plane::reconcile::{Attempt, Compile, Options};
use control_plane::status::Outcome;
use meshwright_control_plane as control_plane;

use crate::world::{Compiler, Sources, options, start_with, until_status, until_told};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Misbehaviour {
    None = 0,
    Panics = 1,
    Hangs = 2,
}

/// Does as it is told.
#[derive(Clone)]
struct Unruly {
    compiler: Compiler,
    misbehaviour: Arc<AtomicUsize>,
}

impl Unruly {
    fn becomes(&self, misbehaviour: Misbehaviour) {
        self.misbehaviour.store(misbehaviour as usize, Ordering::SeqCst);
    }
}

impl Compile for Unruly {
    async fn compile(&self) -> Attempt {
        let misbehaviour = self.misbehaviour.load(Ordering::SeqCst);
        assert!(misbehaviour != Misbehaviour::Panics as usize, "this is the end");
        if misbehaviour == Misbehaviour::Hangs as usize {
            std::future::pending::<()>().await;
        }
        self.compiler.compile().await
    }
}

async fn survives(misbehaviour: Misbehaviour, expected: &str) {
    let sources = Sources::with("proxy a\ncluster x\nend");
    let unruly = Unruly { compiler: Compiler::of(&sources.mesh()), misbehaviour: Arc::default() };
    let options = Options { time: Duration::from_secs(1), ..options(&sources.mesh()) };
    let mut reconciler = start_with(options, unruly.clone());
    until_told(&mut reconciler, "a: cds/x").await;
    unruly.becomes(misbehaviour);
    sources.write("proxy a\ncluster x\ncluster y\nend");
    let status = until_status(&mut reconciler, |status| status.stale.is_some()).await;
    assert_eq!(status.stale.as_deref(), Some(expected));
    assert_eq!(status.reconcile.unwrap().outcome, Outcome::Failed);
    until_told(&mut reconciler, "a: cds/x").await;
    unruly.becomes(Misbehaviour::None);
    // The files are the same: somebody asks for another try.
    reconciler.look();
    until_told(&mut reconciler, "a: cds/x cds/y").await;
    until_status(&mut reconciler, |status| status.stale.is_none()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic() {
    survives(Misbehaviour::Panics, "the compiler panicked: this is the end").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_compiler_that_never_ends() {
    survives(Misbehaviour::Hangs, "compiling took longer than 1 s").await;
}
