//! Running a placed mesh: the workloads, then the Envoys of the nodes, then those of the gateways.

mod prepare;

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use compiler::lower::ADMIN_PORT;
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::{Semaphore, broadcast};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use self::prepare::Patience;
use crate::access_log::{self, LogError};
use crate::admin::{Admin, AdminError, Unhealthy};
use crate::detour::{self, Detours};
use crate::echo::{self, Echo, Tries};
use crate::envoy::EnvoyBinary;
use crate::place::{Instance, InstanceKind, Placement, Speaks, Workload};
use crate::process::{EnvoyRun, Event, ProcessError, Supervised, supervise};
use crate::subnet::Claim;

const HEALTH_POLL: Duration = Duration::from_millis(50);
/// For so long Envoy gathers changes of health before its workers hear of them: until then a worker may still send
/// everything to the endpoint that was healthy first (`update_merge_window`, 1 s by default).
const MERGE_WINDOW: Duration = Duration::from_millis(1100);
/// A subscriber that is further behind loses the oldest events.
const EVENT_BACKLOG: usize = 256;

/// What to run.
#[derive(Clone, Debug)]
pub struct Plan {
    pub instances: Vec<InstancePlan>,
    /// Files that configurations name, by their path relative to the run folder: `filters/<sha256>.wasm`.
    pub files: BTreeMap<PathBuf, Vec<u8>>,
    pub workloads: Vec<Workload>,
}

/// One Envoy to run.
#[derive(Clone, Debug)]
pub struct InstancePlan {
    pub instance: Instance,
    /// Its configuration as text.
    pub config: String,
}

/// How to run it.
#[derive(Debug)]
pub struct Options {
    pub binary: EnvoyBinary,
    pub folder: RunFolder,
    /// The addresses' claim, given back when the run ends.
    pub claim: Option<Claim>,
    /// For tests: where what is outside of the mesh is really found.
    pub detours: Detours,
    /// Envoy's word: `info`, `warning`, `debug` …
    pub log_level: String,
    /// How long one Envoy may take until it is ready.
    pub ready_within: Duration,
    /// How long one Envoy may take to end by itself.
    pub stop_within: Duration,
}

/// Where configurations and logs are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunFolder {
    /// Deleted when the run ends.
    Temporary,
    /// Kept.
    At(PathBuf),
}

/// Why the mesh does not run. Nothing is left running.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("{wanted_by} cannot listen on {address}: {source}{}", hint(source))]
    Taken { address: SocketAddr, wanted_by: String, source: io::Error },
    #[error("cannot write `{path}`: {source}")]
    Write { path: PathBuf, source: io::Error },
    #[error("`{0}` is not a path inside the run folder")]
    OutsideFolder(PathBuf),
    #[error("`{0}` has no configuration")]
    NoConfig(String),
    #[error("the configuration of `{instance}` is not YAML: {source}")]
    Unreadable { instance: String, source: serde_yaml::Error },
    #[error("Envoy of `{instance}` did not start: {source}")]
    Envoy { instance: String, source: ProcessError },
}

/// There is no instance of this name.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("no instance is called `{0}`")]
pub struct UnknownInstance(pub String);

/// No workload stands in for this address.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("no workload runs for `{0}`")]
pub struct UnknownWorkload(pub String);

/// Why a mesh is not healthy.
#[derive(Debug, thiserror::Error)]
pub enum HealthError {
    #[error("`{instance}`: {source}")]
    Admin { instance: String, source: AdminError },
    #[error("after {within:?}, `{instance}` still has no healthy {}", list(unhealthy))]
    Deadline { within: Duration, instance: String, unhealthy: Vec<Unhealthy> },
}

/// A running mesh. Dropping it kills every Envoy; [`Running::stop`] ends them in order.
#[derive(Debug)]
pub struct Running {
    instances: BTreeMap<String, RunningInstance>,
    events: broadcast::Sender<Event>,
    echoes: Vec<Echo>,
    stop_within: Duration,
    folder: Folder,
    _claim: Option<Claim>,
}

/// One Envoy of a running mesh.
#[derive(Debug)]
pub struct RunningInstance {
    instance: Instance,
    files: Files,
    process: Supervised,
}

#[derive(Debug)]
enum Folder {
    Temporary(TempDir),
    Kept(PathBuf),
}

/// The files of one instance.
#[derive(Clone, Debug)]
struct Files {
    config: PathBuf,
    log: PathBuf,
    access_log: PathBuf,
}

/// Starts everything and returns when every Envoy is ready.
pub async fn start(mut plan: Plan, mut options: Options) -> Result<Running, StartError> {
    plan.workloads.retain(|workload| !is_elsewhere(workload, &mut options.detours));
    let folder = prepare::folder(&options.folder)?;
    let patience = if options.claim.is_some() { Patience::Leftovers } else { Patience::None };
    let listeners = prepare::workloads(&plan.workloads, patience).await?;
    prepare::check_addresses(&plan.instances, patience).await?;
    prepare::files(folder.path(), &plan.files)?;
    let tries = Tries::default();
    let mut echoes = Vec::new();
    for (listener, workload) in listeners.into_iter().zip(&plan.workloads) {
        let address = workload.listen;
        let taken = |source| StartError::Taken { address, wanted_by: prepare::wanted_by(workload), source };
        let identity = prepare::identity(workload);
        let echo = match workload.speaks {
            Speaks::Http => echo::serve(listener, identity, tries.clone()),
            Speaks::Bytes => echo::serve_tcp(listener, identity),
        };
        echoes.push(echo.map_err(taken)?);
    }
    let (events, _) = broadcast::channel(EVENT_BACKLOG);
    let (nodes, gateways) = plan.instances.into_iter().partition(|planned| planned.instance.kind == InstanceKind::Node);
    let mut instances = BTreeMap::new();
    // Gateways second: their first health checks shall find the nodes.
    for stage in [nodes, gateways] {
        instances.extend(start_all(stage, folder.path(), &options, &events).await?);
    }
    Ok(Running { instances, events, echoes, stop_within: options.stop_within, folder, _claim: options.claim })
}

/// Whether somebody else stands in for an application outside of the mesh; then its address leads there.
fn is_elsewhere(workload: &Workload, detours: &mut Detours) -> bool {
    let original = SocketAddr::new(workload.original.host, workload.original.port);
    let real = detours.addresses.get(&original).filter(|_| workload.node.is_none()).copied();
    if let Some(real) = real {
        detours.addresses.insert(workload.listen, real);
    }
    real.is_some()
}

async fn start_all(
    stage: Vec<InstancePlan>,
    folder: &Path,
    options: &Options,
    events: &broadcast::Sender<Event>,
) -> Result<BTreeMap<String, RunningInstance>, StartError> {
    // More at once would only make each of them late.
    let at_once = std::thread::available_parallelism().map_or(2, |count| count.get() * 2);
    let turns = Arc::new(Semaphore::new(at_once));
    let mut starting = JoinSet::new();
    for InstancePlan { instance, config } in stage {
        let unreadable = |source| StartError::Unreadable { instance: instance.name.to_string(), source };
        let config = detour::apply(&config, &options.detours).map_err(unreadable)?;
        let files = prepare::instance(folder, &instance, &config)?;
        let run = EnvoyRun {
            name: instance.name.to_string(),
            binary: options.binary.clone(),
            config: files.config.clone(),
            folder: folder.to_owned(),
            log: files.log.clone(),
            access_log: files.access_log.clone(),
            log_level: options.log_level.clone(),
            workers: 1,
            admin: instance.admin(),
            ready_within: options.ready_within,
        };
        let (turns, events) = (Arc::clone(&turns), events.clone());
        starting.spawn(async move {
            // The semaphore is never closed.
            let _turn = turns.acquire_owned().await;
            let name = run.name.clone();
            match supervise(run, events).await {
                Ok(process) => Ok((name, RunningInstance { instance, files, process })),
                Err(source) => Err(StartError::Envoy { instance: name, source }),
            }
        });
    }
    let mut started = BTreeMap::new();
    while let Some(joined) = starting.join_next().await {
        // A task is cancelled only together with this function.
        let Ok(result) = joined else { continue };
        let (name, instance) = result?;
        started.insert(name, instance);
    }
    Ok(started)
}

impl Plan {
    /// The plan of a placement whose mesh was compiled: `configs` holds `<name>/envoy.yaml` → text.
    pub fn of(
        placement: Placement,
        configs: &BTreeMap<String, String>,
        files: BTreeMap<PathBuf, Vec<u8>>,
    ) -> Result<Self, StartError> {
        let planned = |instance: Instance| {
            let config = configs.get(&format!("{}/envoy.yaml", instance.name)).cloned();
            let config = config.ok_or_else(|| StartError::NoConfig(instance.name.to_string()))?;
            Ok(InstancePlan { instance, config })
        };
        let instances = placement.instances.into_iter().map(planned).collect::<Result<_, StartError>>()?;
        Ok(Self { instances, files, workloads: placement.workloads })
    }
}

impl Options {
    pub fn new(binary: EnvoyBinary) -> Self {
        Self {
            binary,
            folder: RunFolder::Temporary,
            claim: None,
            detours: Detours::default(),
            log_level: "info".to_owned(),
            ready_within: Duration::from_secs(60),
            stop_within: Duration::from_secs(5),
        }
    }
}

impl Running {
    /// What happens from now on.
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }

    pub fn instance(&self, name: &str) -> Result<&RunningInstance, UnknownInstance> {
        self.instances.get(name).ok_or_else(|| UnknownInstance(name.to_owned()))
    }

    /// By name.
    pub fn instances(&self) -> impl Iterator<Item = &RunningInstance> {
        self.instances.values()
    }

    /// The workloads that run, in the order of the placement.
    pub fn workloads(&self) -> &[Echo] {
        &self.echoes
    }

    /// The workload at this address of the mesh as written, such as `10.0.0.1:3000`.
    pub fn workload(&self, endpoint: &str) -> Result<&Echo, UnknownWorkload> {
        let found = self.echoes.iter().find(|echo| echo.identity().endpoint == endpoint);
        found.ok_or_else(|| UnknownWorkload(endpoint.to_owned()))
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Waits until no Envoy knows of an endpoint that fails, or has yet to pass, its health checks, and all of them
    /// balance their load accordingly.
    pub async fn wait_healthy(&self, within: Duration) -> Result<(), HealthError> {
        let deadline = Instant::now() + within;
        for (name, instance) in &self.instances {
            loop {
                let asked = instance.admin().unhealthy().await;
                match asked {
                    Ok(unhealthy) if unhealthy.is_empty() => break,
                    Ok(unhealthy) if Instant::now() >= deadline => {
                        return Err(HealthError::Deadline { within, instance: name.clone(), unhealthy });
                    }
                    Err(source) if Instant::now() >= deadline => {
                        return Err(HealthError::Admin { instance: name.clone(), source });
                    }
                    Ok(_) | Err(_) => sleep(HEALTH_POLL).await,
                }
            }
        }
        sleep(MERGE_WINDOW).await;
        Ok(())
    }

    /// Ends every Envoy, then the workloads. No process is left when this returns.
    pub async fn stop(self) {
        let mut stopping = JoinSet::new();
        for (_, instance) in self.instances {
            stopping.spawn(instance.process.stop(self.stop_within));
        }
        stopping.join_all().await;
        drop(self.echoes);
    }
}

impl RunningInstance {
    pub fn instance(&self) -> &Instance {
        &self.instance
    }

    pub fn admin(&self) -> Admin {
        self.instance.admin()
    }

    /// `None` while it is down.
    pub fn pid(&self) -> Option<u32> {
        self.process.pid()
    }

    /// The value of a counter or gauge; see [`Admin::counter`].
    pub async fn counter(&self, name: &str) -> Result<u64, AdminError> {
        self.admin().counter(name).await
    }

    /// What was written to the access log so far; an entry takes some milliseconds to get there.
    pub fn access_log(&self) -> Result<Vec<Value>, LogError> {
        access_log::read(&self.files.access_log)
    }

    /// The first entry of the access log that the predicate accepts.
    pub async fn wait_for_log(&self, predicate: impl Fn(&Value) -> bool, within: Duration) -> Result<Value, LogError> {
        access_log::wait_for(&self.files.access_log, predicate, within).await
    }

    pub fn config_file(&self) -> &Path {
        &self.files.config
    }

    /// What Envoy itself logs.
    pub fn log_file(&self) -> &Path {
        &self.files.log
    }
}

impl Instance {
    /// Where this instance listens for traffic: the sidecar's outgoing port, or the gateway's own.
    pub fn entrance(&self) -> SocketAddr {
        match self.kind {
            InstanceKind::Node => SocketAddr::new(self.address, compiler::lower::EGRESS_PORT),
            InstanceKind::Gateway { listen } => SocketAddr::new(self.address, listen),
        }
    }

    /// Where it listens on a port of the mesh: one of a gateway's, a `local-port`, that of the metrics.
    pub fn at(&self, port: u16) -> SocketAddr {
        SocketAddr::new(self.address, port)
    }

    pub fn admin(&self) -> Admin {
        Admin::new(self.at(ADMIN_PORT))
    }
}

impl Folder {
    fn path(&self) -> &Path {
        match self {
            Self::Temporary(folder) => folder.path(),
            Self::Kept(path) => path,
        }
    }
}

fn hint(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::AddrInUse => "; stop the other program, or run in another address range",
        io::ErrorKind::PermissionDenied => "; ports below 1024 need the right to bind them: use a higher one",
        io::ErrorKind::AddrNotAvailable => "; this system does not give out all of 127.0.0.0/8",
        _ => "",
    }
}

fn list(unhealthy: &[Unhealthy]) -> String {
    unhealthy.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
