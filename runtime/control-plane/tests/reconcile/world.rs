//! Small states, small meshes in files, and patience.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use compiler::import::ecs::Wants;
use compiler::snapshot::ResourceKind;
use control_plane::published::{Names, State, Views};
use control_plane::reconcile::files::Reader;
use control_plane::reconcile::{Attempt, Compile, Ecs, Failure, Findings, Options, Reconciler};
use control_plane::{Published, Served, Status, View, reconcile};
use envoy::config::endpoint::v3::{ClusterLoadAssignment, LbEndpoint, LocalityLbEndpoints};
use meshwright_control_plane as control_plane;
use prost::Message as _;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use tokio::time::timeout;

pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
pub(crate) const CLUSTERS: ResourceKind = ResourceKind::Cluster;

pub(crate) fn served(kind: ResourceKind, name: &str, content: impl Into<Vec<u8>>) -> (ResourceKind, Arc<Served>) {
    let bytes: Vec<u8> = content.into();
    let version: String = Sha256::digest(&bytes).iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    (kind, Arc::new(Served::new(kind, name, &version, Bytes::from(bytes))))
}

/// So many endpoints of this name.
pub(crate) fn endpoints(name: &str, count: usize) -> (ResourceKind, Arc<Served>) {
    let lb_endpoints = vec![LbEndpoint::default(); count];
    let endpoints = vec![LocalityLbEndpoints { lb_endpoints, ..Default::default() }];
    let message = ClusterLoadAssignment { cluster_name: name.to_owned(), endpoints, ..Default::default() };
    served(ResourceKind::Endpoints, name, message.encode_to_vec())
}

type Told = (ResourceKind, Arc<Served>);

/// Lines say `proxy NAME`, then what it is told: `cluster NAME`, `secret NAME`, `listener NAME`, `routes NAME`, each
/// with a word of content if wanted, and `endpoints NAME COUNT`.
pub(crate) fn views(text: &str) -> Views {
    let mut views: Vec<(String, Vec<Told>)> = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let mut words = line.split(' ');
        let (what, name) = (words.next().unwrap(), words.next().unwrap());
        let content = words.next().unwrap_or_default();
        let kind = match what {
            "proxy" => {
                views.push((name.to_owned(), Vec::new()));
                continue;
            }
            "cluster" => ResourceKind::Cluster,
            "secret" => ResourceKind::Secret,
            "listener" => ResourceKind::Listener,
            "routes" => ResourceKind::Routes,
            "endpoints" => {
                views.last_mut().unwrap().1.push(endpoints(name, content.parse().unwrap()));
                continue;
            }
            other => panic!("{other}"),
        };
        views.last_mut().unwrap().1.push(served(kind, name, content));
    }
    views.into_iter().map(|(name, told)| (name, Arc::new(View::new(told)))).collect()
}

/// The other way round, without contents.
pub(crate) fn told(published: &Published) -> String {
    let mut text = String::new();
    for (name, view) in published.views() {
        text.push_str(&format!("{name}:"));
        for kind in ResourceKind::ALL {
            for served in view.of(kind).iter() {
                text.push_str(&format!(" {}/{}", kind.short_name(), served.name));
            }
        }
        text.push('\n');
    }
    text
}

/// A folder with a mesh in it.
pub(crate) struct Sources {
    pub(crate) folder: TempDir,
}

impl Sources {
    pub(crate) fn with(text: &str) -> Self {
        let sources = Self { folder: tempfile::tempdir().unwrap() };
        sources.write(text);
        sources
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn mesh(&self) -> PathBuf {
        self.path("mesh")
    }

    pub(crate) fn write(&self, text: &str) {
        fs::write(self.mesh(), text).unwrap();
    }

    /// As editors do it.
    pub(crate) fn rename(&self, text: &str) {
        let beside = self.path("mesh.new");
        fs::write(&beside, text).unwrap();
        fs::rename(beside, self.mesh()).unwrap();
    }
}

/// Compiles what [`views`] reads, `alias NAME PROXY`, `wants CLUSTER`, and `read CLUSTER` in what runs. `include FILE` stands
/// for that file's lines, `wrong` for a mistake that leaves no mesh, `unobserved` for a mesh that waits, and a file without `end` is one that was not read to its
/// end.
#[derive(Clone)]
pub(crate) struct Compiler {
    mesh: PathBuf,
    pub(crate) runs: Arc<AtomicUsize>,
}

/// What [`Compiler`] publishes of a file that was not whole.
pub(crate) const PARTIAL: &str = "PARTIAL";

impl Compiler {
    pub(crate) fn of(mesh: &Path) -> Self {
        Self { mesh: mesh.to_owned(), runs: Arc::default() }
    }

    pub(crate) fn runs(&self) -> usize {
        self.runs.load(Ordering::SeqCst)
    }

    fn attempt(&self) -> Attempt {
        self.runs.fetch_add(1, Ordering::SeqCst);
        let mut attempt = Attempt {
            files: Default::default(),
            findings: Findings::default(),
            outcome: Err(Failure::Unreadable("nothing was read".to_owned())),
            took: [Duration::ZERO; 3],
            ecs: None,
        };
        let mut text = String::new();
        let mut waiting = vec![self.mesh.clone()];
        while let Some(path) = waiting.pop() {
            let Ok(read) = fs::read_to_string(&path) else {
                attempt.files.insert(path.clone(), Reader::default().digests([&path]).remove(&path).flatten());
                attempt.outcome = Err(Failure::Unreadable(format!("cannot read {}", path.display())));
                return attempt;
            };
            attempt.files.insert(path.clone(), Some(Sha256::digest(read.as_bytes()).into()));
            if !read.trim_end().ends_with("end") {
                text = format!("proxy {PARTIAL}\n");
                break;
            }
            for line in read.lines().map(str::trim).filter(|line| *line != "end") {
                match line.strip_prefix("include ") {
                    Some(file) => waiting.push(path.with_file_name(file)),
                    None => text.push_str(&format!("{line}\n")),
                }
            }
        }
        if text.contains("wrong") {
            attempt.outcome = Err(Failure::Invalid { errors: 1 });
            attempt.findings.errors = 1;
            attempt.findings.each = vec!["error: something is wrong".to_owned()];
            attempt.ecs = Some(Ecs { observed: true, ..Ecs::default() });
            return attempt;
        }
        let clusters =
            |word: &str| text.lines().filter_map(|line| line.strip_prefix(word)).map(str::to_owned).collect();
        let wants = Wants { clusters: clusters("wants "), ..Wants::default() };
        let ecs = Ecs { wants: Some(wants), clusters: clusters("read "), observed: true, ..Ecs::default() };
        attempt.ecs = Some(ecs);
        if text.contains("unobserved") {
            attempt.outcome = Err(Failure::Unreadable("what runs was not read yet".to_owned()));
            return attempt;
        }
        let is_mesh = |line: &&str| !line.starts_with("wants ") && !line.starts_with("read ");
        let (aliases, text): (Vec<&str>, Vec<&str>) =
            text.lines().filter(is_mesh).partition(|line| line.starts_with("alias "));
        let pair = |line: &str| line.split(' ').skip(1).map(str::to_owned).collect::<Vec<_>>().try_into().ok();
        let aliases =
            aliases.into_iter().filter_map(|line| pair(line).map(|[alias, proxy]: [String; 2]| (alias, proxy)));
        let names = Names { aliases: aliases.collect(), ..Names::default() };
        attempt.outcome = Ok(State::of_published(&Published::with_views(views(&text.join("\n")))).named(names));
        attempt
    }
}

impl Compile for Compiler {
    async fn compile(&self) -> Attempt {
        let compiler = self.clone();
        tokio::task::spawn_blocking(move || compiler.attempt()).await.unwrap()
    }
}

pub(crate) fn start(sources: &Sources) -> (Reconciler, Compiler) {
    let compiler = Compiler::of(&sources.mesh());
    (start_with(options(&sources.mesh()), compiler.clone()), compiler)
}

/// Changes are to be found because they are reported.
pub(crate) fn options(mesh: &Path) -> Options {
    Options { poll: Duration::from_secs(3600), ..Options::new(mesh) }
}

pub(crate) fn start_with(options: Options, compile: impl Compile) -> Reconciler {
    reconcile::start(options, compile, None, control_plane::Metrics::default())
}

/// Waits until what is published is this.
#[track_caller]
pub(crate) fn until_told<'r>(reconciler: &'r mut Reconciler, expected: &str) -> impl Future<Output = ()> + 'r {
    let expected: String = expected.lines().map(|line| format!("{}\n", line.trim())).collect();
    let place = std::panic::Location::caller();
    async move {
        let waiting = reconciler.published.wait_for(|published| told(published) == expected);
        let waited = timeout(PATIENCE, waiting).await.is_ok();
        assert!(waited, "{place}: {}", told(&reconciler.published.borrow()));
    }
}

#[track_caller]
pub(crate) fn until_status<'r>(
    reconciler: &'r mut Reconciler,
    expected: impl FnMut(&Status) -> bool + 'r,
) -> impl Future<Output = Status> + 'r {
    let place = std::panic::Location::caller();
    async move {
        let waiting = timeout(PATIENCE, reconciler.status.wait_for(expected)).await;
        let reached = waiting.is_ok();
        drop(waiting);
        assert!(reached, "{place}: {:?}", reconciler.status.borrow());
        reconciler.status.borrow().clone()
    }
}
