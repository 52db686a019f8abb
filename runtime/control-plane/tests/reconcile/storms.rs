//! However files are written, nothing half is published, and the last state wins.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use compiler::snapshot::ResourceKind;
use control_plane::reconcile::Reconciler;
use control_plane::{Published, reconcile};
use meshwright_control_plane as control_plane;
use tokio::task::JoinHandle;

use crate::world::{Compiler, PARTIAL, PATIENCE, Sources, options, start};

/// All clusters of a mesh have the same number as content: others were read half from one state, half from another.
fn mesh(number: u32) -> String {
    let clusters: String = (0..50).map(|index| format!("cluster c{index} {number}\n")).collect();
    format!("proxy a\n{clusters}end\n")
}

/// What was ever published.
struct Seen {
    stop: Arc<AtomicBool>,
    numbers: JoinHandle<BTreeSet<String>>,
}

fn number(published: &Published) -> String {
    if published.view(PARTIAL).is_some() {
        return "half a file".to_owned();
    }
    let Some(view) = published.view("a") else { return "nothing".to_owned() };
    let clusters = view.of(ResourceKind::Cluster);
    let contents: BTreeSet<&[u8]> = clusters.iter().map(|served| &served.bytes[..]).collect();
    match (clusters.len(), contents.first()) {
        (50, Some(content)) if contents.len() == 1 => String::from_utf8_lossy(content).into_owned(),
        _ => "a mixture".to_owned(),
    }
}

impl Seen {
    fn by(reconciler: &Reconciler) -> Self {
        let mut published = reconciler.published.clone();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let numbers = tokio::spawn(async move {
            let mut numbers = BTreeSet::new();
            while !stopped.load(Ordering::SeqCst) {
                let _ = tokio::time::timeout(Duration::from_millis(50), published.changed()).await;
                numbers.insert(number(&published.borrow_and_update()));
            }
            numbers
        });
        Self { stop, numbers }
    }

    /// Panics if anything but whole states was published; how many there were.
    async fn whole(self) -> usize {
        self.stop.store(true, Ordering::SeqCst);
        let numbers = self.numbers.await.unwrap();
        for number in numbers.iter().filter(|number| *number != "nothing") {
            assert!(number.parse::<u32>().is_ok(), "{number} was published: {numbers:?}");
        }
        numbers.iter().filter(|number| *number != "nothing").count()
    }
}

async fn until_number(reconciler: &mut Reconciler, expected: u32) -> Duration {
    let begun = Instant::now();
    let expected = expected.to_string();
    let waiting = reconciler.published.wait_for(|published| number(published) == expected);
    assert!(tokio::time::timeout(PATIENCE, waiting).await.is_ok(), "{expected} was never published");
    begun.elapsed()
}

struct Figures {
    edits: u32,
    took: Duration,
    compiles: usize,
    published: usize,
    converged: Duration,
}

/// Applies `edit` a thousand times per second for two seconds; what happened meanwhile, and until the last is published.
async fn storm(what: &str, sources: &Sources, mut edit: impl FnMut(u32) + Send) -> Figures {
    let (mut reconciler, compiler) = start(sources);
    until_number(&mut reconciler, 0).await;
    let seen = Seen::by(&reconciler);
    let begun = Instant::now();
    let mut ticks = tokio::time::interval(Duration::from_millis(1));
    let edits = 2000;
    for number in 1..=edits {
        ticks.tick().await;
        edit(number);
    }
    let took = begun.elapsed();
    let converged = until_number(&mut reconciler, edits).await;
    let figures = Figures { edits, took, compiles: compiler.runs() - 1, published: seen.whole().await - 1, converged };
    println!(
        "{what}: {} edits in {:?}, {} compiles, {} published, the last one {:?} after it",
        figures.edits, figures.took, figures.compiles, figures.published, figures.converged
    );
    // One look in a window of the debounce: 100 ms if it is quiet in between, else a second; two for what was overtaken.
    let windows = figures.took.as_millis() / 100 + 2;
    assert!(figures.compiles as u128 <= windows, "{} compiles", figures.compiles);
    assert!(figures.converged < Duration::from_millis(1100), "{:?}", figures.converged);
    figures
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_edits_in_place_per_second() {
    let sources = Sources::with(&mesh(0));
    storm("in place", &sources, |number| sources.write(&mesh(number))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_renames_per_second() {
    let sources = Sources::with(&mesh(0));
    storm("rename", &sources, |number| sources.rename(&mesh(number))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_deletions_and_new_files_per_second() {
    let sources = Sources::with(&mesh(0));
    let edit = |number| {
        fs::remove_file(sources.mesh()).unwrap();
        sources.write(&mesh(number));
    };
    storm("delete and write", &sources, edit).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_swapped_links_per_second() {
    let sources = Sources::with("");
    fs::remove_file(sources.mesh()).unwrap();
    let version = |number: u32| {
        let folder = sources.path(&format!("..{number}"));
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("mesh"), mesh(number)).unwrap();
        symlink(format!("..{number}"), sources.path("..next")).unwrap();
        fs::rename(sources.path("..next"), sources.path("..data")).unwrap();
        if let Some(before) = number.checked_sub(1) {
            fs::remove_dir_all(sources.path(&format!("..{before}"))).unwrap();
        }
    };
    version(0);
    symlink("..data/mesh", sources.mesh()).unwrap();
    storm("swapped links", &sources, version).await;
}

/// The first half, a pause, the rest: with the file open, as slow writers do it.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_which_half_is_written_is_waited_for() {
    let sources = Sources::with(&mesh(0));
    let (mut reconciler, compiler) = start(&sources);
    until_number(&mut reconciler, 0).await;
    let seen = Seen::by(&reconciler);
    let text = mesh(1);
    let (first, rest) = text.split_at(text.len() / 2);
    let mut file = fs::File::create(sources.mesh()).unwrap();
    file.write_all(first.as_bytes()).unwrap();
    // The writer's pause is what is tested.
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(compiler.runs(), 1, "it was read while it was written");
    file.write_all(rest.as_bytes()).unwrap();
    drop(file);
    let converged = until_number(&mut reconciler, 1).await;
    println!("half, 2 s, rest: {} compile, published {converged:?} after it", compiler.runs() - 1);
    assert!(converged < Duration::from_secs(1), "{converged:?}");
    assert_eq!((seen.whole().await, compiler.runs()), (2, 2));
}

/// Whoever only makes an empty file and thinks for a while.
#[tokio::test(flavor = "multi_thread")]
async fn a_new_file_is_not_read_before_its_writer_is_done() {
    let sources = Sources::with(&mesh(0));
    let (mut reconciler, compiler) = start(&sources);
    until_number(&mut reconciler, 0).await;
    fs::remove_file(sources.mesh()).unwrap();
    let mut file = fs::File::create(sources.mesh()).unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    file.write_all(mesh(1).as_bytes()).unwrap();
    drop(file);
    until_number(&mut reconciler, 1).await;
    assert_eq!(compiler.runs(), 2);
}

/// Two files that belong together, replaced by one swap of a link: never one of the old and one of the new.
#[tokio::test(flavor = "multi_thread")]
async fn files_that_change_together_are_published_together() {
    let sources = Sources::with("");
    fs::remove_file(sources.mesh()).unwrap();
    let halves = |number: u32| {
        let half =
            |range: std::ops::Range<u32>| -> String { range.map(|it| format!("cluster c{it} {number}\n")).collect() };
        (format!("proxy a\n{}include part\nend\n", half(0..25)), format!("{}end\n", half(25..50)))
    };
    let version = |number: u32| {
        let folder = sources.path(&format!("..{number}"));
        fs::create_dir(&folder).unwrap();
        let (main, part) = halves(number);
        fs::write(folder.join("mesh"), main).unwrap();
        fs::write(folder.join("part"), part).unwrap();
        symlink(format!("..{number}"), sources.path("..next")).unwrap();
        fs::rename(sources.path("..next"), sources.path("..data")).unwrap();
    };
    version(0);
    for name in ["mesh", "part"] {
        symlink(format!("..data/{name}"), sources.path(name)).unwrap();
    }
    let (mut reconciler, compiler) = start(&sources);
    until_number(&mut reconciler, 0).await;
    let seen = Seen::by(&reconciler);
    let mut ticks = tokio::time::interval(Duration::from_millis(7));
    for number in 1..=300 {
        ticks.tick().await;
        version(number);
    }
    until_number(&mut reconciler, 300).await;
    println!("two files, one swap each 7 ms: {} compiles, {} published", compiler.runs() - 1, seen.whole().await - 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn asking_again_and_again_compiles_nothing_that_did_not_change() {
    let sources = Sources::with(&mesh(0));
    let compiler = Compiler::of(&sources.mesh());
    let metrics = control_plane::Metrics::default();
    let mut reconciler = reconcile::start(options(&sources.mesh()), compiler.clone(), None, metrics);
    until_number(&mut reconciler, 0).await;
    for _ in 0..10_000 {
        reconciler.look();
    }
    sources.rename(&mesh(1));
    until_number(&mut reconciler, 1).await;
    println!("10,000 requests to look: {} compiles", compiler.runs() - 1);
    assert_eq!(compiler.runs(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_file_changes_nothing() {
    let sources = Sources::with(&mesh(0));
    let (mut reconciler, _) = start(&sources);
    until_number(&mut reconciler, 0).await;
    let seen = Seen::by(&reconciler);
    sources.write("end");
    let held = reconciler.status.wait_for(|status| status.held.is_some());
    assert!(tokio::time::timeout(PATIENCE, held).await.is_ok());
    assert_eq!(seen.whole().await, 1);
}
