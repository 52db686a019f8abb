//! `meshwright serve`: the mesh over xDS, following its files.

pub(crate) mod apart;
mod duration;
#[cfg(feature = "ecs")]
pub(super) mod ecs;
#[cfg(not(feature = "ecs"))]
#[path = "serve/without_ecs.rs"]
mod ecs;
mod state_folder;

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};
use control_plane::reconcile::{self, Child, Patience, Policy, Reconciler};
use control_plane::server::{self, Listen, TlsFiles};
use control_plane::status::{Outcome, Status};
use control_plane::store::{FolderStore, Store};
use control_plane::{Identity, Metrics, Registry, admin, guard, trace};
use tokio::signal::unix::{SignalKind, signal};

use crate::exit::{Exit, ExitStatus};
use crate::input::{Format, Input, Reading};
use crate::launch::XDS_SUBNET;
use crate::write;
use duration::duration;

#[derive(Args, Debug)]
pub struct Arguments {
    /// The mesh: a `.kdl` or `.yaml` file. With `--ecs` it may be missing: then it is what runs
    #[arg(required_unless_present = "ecs")]
    path: Option<String>,
    #[command(flatten)]
    reading: Reading,
    #[command(flatten)]
    form: apart::Form,
    #[command(flatten)]
    ecs: ecs::Ecs,
    #[command(flatten)]
    listening: Listening,
    #[command(flatten)]
    publishing: Publishing,
    #[command(flatten)]
    limits: Limits,
    #[command(flatten)]
    telling: Telling,
}

/// Where and for whom.
#[derive(Args, Debug)]
#[command(next_help_heading = "Listening")]
struct Listening {
    /// Where Envoys ask: an address, or `unix:PATH`
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:18000")]
    listen: Listen,
    /// Where operators ask: /status, /streams, /metrics, /healthz, /readyz
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:18001")]
    admin: SocketAddr,
    /// PEM file of the server's certificates; read again when it changes
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_certificate: Option<PathBuf>,
    /// PEM file of the server's key
    #[arg(long, value_name = "FILE", requires = "tls_certificate")]
    tls_key: Option<PathBuf>,
    /// PEM file of the authorities of clients: every client needs a certificate, and gets what is its own
    #[arg(long, value_name = "FILE", requires = "tls_certificate")]
    client_ca: Option<PathBuf>,
    /// How a certificate names its node: URIs with `{node}`, or `dns:{node}`, divided by commas
    #[arg(long, value_name = "TEMPLATE")]
    identity: Option<Identity>,
    /// Serve whoever can connect, although others than this machine can
    #[arg(long)]
    insecure: bool,
}

/// What is published, and what is kept.
#[derive(Args, Debug)]
#[command(next_help_heading = "Publishing")]
struct Publishing {
    /// How long clusters and endpoints that left the mesh are served
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration)]
    grace: Duration,
    /// Hold an edit back that drops a larger share of all endpoints, clusters or proxies; tasks that end are no edit
    #[arg(long, value_name = "PERCENT", default_value_t = 30, value_parser = clap::value_parser!(u8).range(0..=100))]
    max_drop: u8,
    /// Publish whatever compiles, however much it drops
    #[arg(long)]
    allow_drop: bool,
    /// How long files must be at rest before they are read
    #[arg(long, value_name = "TIME", default_value = "100ms", value_parser = duration)]
    debounce: Duration,
    /// How often files are looked at although no change was reported
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = duration)]
    poll: Duration,
    /// How long reading and compiling may take
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration)]
    compile_time: Duration,
    /// How many megabytes of memory compiling may take
    #[arg(long, value_name = "MB", default_value_t = 4096)]
    compile_memory: u64,
    /// Folder for what was served last; by default $STATE_DIRECTORY, or one below $XDG_STATE_HOME/meshwright
    #[arg(long, value_name = "DIR", conflicts_with = "no_state")]
    state: Option<PathBuf>,
    /// Keep nothing: after a restart, nothing is served before the mesh was compiled
    #[arg(long)]
    no_state: bool,
}

/// How much clients may use.
#[derive(Args, Debug)]
#[command(next_help_heading = "Limits")]
struct Limits {
    /// Streams at a time
    #[arg(long, value_name = "NUMBER")]
    max_streams: Option<usize>,
    /// New streams per second; those above wait for their turn
    #[arg(long, value_name = "NUMBER")]
    max_streams_per_second: Option<u32>,
    /// Connections at a time
    #[arg(long, value_name = "NUMBER")]
    max_connections: Option<usize>,
    /// After which time a connection is closed, give or take 20 %, so that clients spread over replicas
    #[arg(long, value_name = "TIME", default_value = "30m", value_parser = duration)]
    max_connection_age: Duration,
    /// Over which time streams are closed at the end
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = duration)]
    drain: Duration,
}

/// What is told of the work.
#[derive(Args, Debug)]
#[command(next_help_heading = "Logs and traces")]
struct Telling {
    /// How log lines look, on standard error
    #[arg(long, value_enum, default_value_t)]
    log_format: LogFormat,
    /// Which log lines: `info`, `debug`, `warn,meshwright_control_plane::reconcile=debug`
    #[arg(long, value_name = "FILTER", default_value = "info")]
    log: String,
    /// Send a trace of every reconcile to this collector: OTLP over gRPC, such as http://127.0.0.1:4317
    #[arg(long, value_name = "URL")]
    otlp: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum LogFormat {
    /// A line each
    #[default]
    Text,
    /// An object a line
    Json,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitStatus, Exit> {
    if arguments.path.as_deref() == Some("-") {
        return Err(Exit::usage(anyhow::anyhow!("standard input cannot be watched: name a file")));
    }
    if let Some(range) = &arguments.form.local {
        local::Subnet::fixed(range).map_err(Exit::usage)?;
    }
    server_options(arguments).validate().map_err(Exit::usage)?;
    let runtime = tokio::runtime::Runtime::new()?;
    let result = runtime.block_on(serve(arguments));
    // A file system that hangs holds a thread of this process, and must not hold its end.
    runtime.shutdown_timeout(Duration::from_secs(1));
    result
}

/// Until a signal.
async fn serve(arguments: &Arguments) -> Result<ExitStatus, Exit> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let tracing = trace::start(&trace_options(&arguments.telling)).map_err(Exit::usage)?;
    let metrics = Metrics::default();
    let Kept { store, folder, told: kept } = kept(arguments);
    let place = arguments.ecs.ecs.then(|| ecs::Place::in_folder(folder.as_deref())).transpose()?;
    let input = input(arguments, place.as_ref());
    let options = reconcile_options(arguments, &input, place.as_ref());
    let mut reconciler = reconcile::start(options, child(arguments, &input)?, store, metrics.clone());
    let discovering = match &place {
        Some(place) => Some(ecs::start(&arguments.ecs, place, &reconciler, &metrics).await?),
        None => None,
    };
    let (published, registry) = (reconciler.published.clone(), Registry::default());
    let shared = server::Shared { published, metrics: metrics.clone(), registry };
    let pages = admin::Pages {
        status: reconciler.status.clone(),
        metrics,
        registry: shared.registry.clone(),
        allow: reconciler.allow(),
        discovery: discovering.as_ref().map(ecs::Discovering::shown),
    };
    // Before there is a mesh: they say why there is none.
    let admin = admin::Options { listen: arguments.listening.admin, insecure: arguments.listening.insecure };
    let pages = admin::start(admin, pages).await.map_err(admin_not_started)?;
    if reconciler.published.borrow().is_empty() {
        let first = tokio::select! {
            first = first_attempt(&mut reconciler) => first,
            _ = interrupt.recv() => return Ok(ExitStatus::Ok),
            _ = terminate.recv() => return Ok(ExitStatus::Ok),
        };
        if let Some(status) = first {
            reconciler.stop().await;
            tracing.stop();
            return Ok(status);
        }
    }
    let xds = server::start(server_options(arguments), shared).await.map_err(not_started)?;
    let introduction = introduction(arguments, &reconciler.status.borrow(), xds.address(), pages.address(), &kept);
    write::to_stdout(&format!("{introduction}\n"))?;
    loop {
        tokio::select! {
            _ = interrupt.recv() => break,
            _ = terminate.recv() => break,
            _ = hangup.recv() => {
                reconciler.look();
                discovering.iter().for_each(ecs::Discovering::read_now);
            }
        }
    }
    // A second signal does not wait for streams.
    tokio::select! {
        () = xds.stop() => {}
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    drop((pages, discovering));
    reconciler.stop().await;
    tokio::task::spawn_blocking(move || tracing.stop()).await?;
    Ok(ExitStatus::Ok)
}

/// `None` if there is something to serve, or may soon be. The findings are in the log already. What needs ECS is not
/// attempted before that was read.
async fn first_attempt(reconciler: &mut Reconciler) -> Option<ExitStatus> {
    let waits = |status: &Status| status.ecs.as_ref().is_some_and(|ecs| !ecs.observed);
    let attempted = reconciler
        .status
        .wait_for(|status| status.reconcile.as_ref().is_some_and(|it| it.outcome != Outcome::Failed || !waits(status)));
    let told = attempted.await.ok()?;
    match told.reconcile.as_ref()?.outcome {
        Outcome::Published | Outcome::Unchanged | Outcome::Held => None,
        Outcome::Invalid => Some(ExitStatus::Invalid),
        Outcome::Failed => Some(ExitStatus::InputOutput),
    }
}

fn introduction(
    arguments: &Arguments,
    status: &Status,
    xds: Option<SocketAddr>,
    admin: SocketAddr,
    kept: &str,
) -> String {
    let listening = &arguments.listening;
    let at = xds.map_or_else(|| listening.listen.to_string(), |address| address.to_string());
    let safety = match (&listening.tls_certificate, &listening.client_ca) {
        (Some(_), Some(_)) => "TLS, clients by their certificates",
        (Some(_), None) => "TLS, any client",
        (None, _) if listening.insecure => "plain text, any client",
        (None, _) => "plain text, clients of this machine",
    };
    let serving = status.serving.as_ref().map_or("nothing yet".to_owned(), |serving| {
        let digest = serving.digest.get(..12).unwrap_or(&serving.digest);
        format!("{digest}: {} resources for {} proxies", serving.resources, serving.proxies)
    });
    let path = arguments.path.as_deref().unwrap_or_default();
    let mesh = match (arguments.ecs.ecs, path) {
        (false, path) => path.to_owned(),
        (true, "") => "what runs on ECS".to_owned(),
        (true, path) => format!("{path} and what runs on ECS"),
    };
    let from = arguments.reading.from.and_then(|format| format.to_possible_value());
    let from = from.map_or(String::new(), |format| format!(" --from {}", format.get_name()));
    let connect = match &arguments.form.local {
        _ if arguments.ecs.ecs => format!("meshwright sidecar --xds {at}"),
        Some(subnet) if subnet != XDS_SUBNET => format!("meshwright up {path}{from} --xds={at} --subnet {subnet}"),
        Some(_) => format!("meshwright up {path}{from} --xds={at}"),
        None => format!("meshwright bootstrap {path}{from} --node NAME --xds {at} -o DIR"),
    };
    [
        ("mesh", mesh.as_str()),
        ("serving", &serving),
        ("xDS", &format!("{at}, {safety}")),
        ("pages", &format!("http://{admin}/status, /streams, /metrics, /healthz, /readyz")),
        ("kept in", kept),
        ("connect", &connect),
    ]
    .map(|(name, text)| format!("{name:<8} {text}"))
    .join("\n")
}

fn server_options(arguments: &Arguments) -> server::Options {
    let Listening { listen, tls_certificate, tls_key, client_ca, identity, insecure, .. } = &arguments.listening;
    let tls = tls_certificate.clone().zip(tls_key.clone());
    let limits = &arguments.limits;
    let mut bounds = control_plane::Limits::default();
    bounds.streams = limits.max_streams.unwrap_or(bounds.streams);
    bounds.streams_per_second = limits.max_streams_per_second.unwrap_or(bounds.streams_per_second);
    bounds.connections = limits.max_connections.unwrap_or(bounds.connections);
    server::Options {
        listen: listen.clone(),
        tls: tls.map(|(certificate, key)| TlsFiles { certificate, key, client_ca: client_ca.clone() }),
        identity: identity.clone().unwrap_or_default(),
        insecure: *insecure,
        limits: bounds,
        drain: limits.drain,
        max_connection_age: limits.max_connection_age,
        ..server::Options::default()
    }
}

/// What is read. What runs is a part of it, or all of it.
fn input(arguments: &Arguments, place: Option<&ecs::Place>) -> Input {
    let (path, mut reading) = (arguments.path.clone(), arguments.reading.clone());
    let observed = place.map(|place| place.file.to_string_lossy().into_owned());
    match (path, observed) {
        (Some(path), observed) => {
            reading.observed = observed.or(reading.observed);
            Input { path, reading }
        }
        (None, observed) => {
            reading.from = observed.as_ref().map(|_| Format::Ecs);
            Input { path: observed.unwrap_or_default(), reading }
        }
    }
}

fn reconcile_options(arguments: &Arguments, input: &Input, place: Option<&ecs::Place>) -> reconcile::Options {
    let publishing = &arguments.publishing;
    let limits = guard::Limits { max_drop: publishing.max_drop, ..guard::Limits::default() };
    reconcile::Options {
        policy: Policy { grace: publishing.grace, limits: (!publishing.allow_drop).then_some(limits) },
        patience: Patience { quiet: publishing.debounce, ..Patience::default() },
        poll: publishing.poll,
        // The child has its own limit, and says more when it is over.
        time: publishing.compile_time.saturating_add(Duration::from_secs(5)),
        said: said(arguments, input).into_iter().map(OsString::from).collect(),
        observed: place.map(|place| PathBuf::from(place.file.to_string_lossy().into_owned())),
        ..reconcile::Options::new(&input.path)
    }
}

/// This program again, so that both are of one version.
fn child(arguments: &Arguments, input: &Input) -> Result<Child, Exit> {
    let own = PathBuf::from("/proc/self/exe");
    let program = if own.exists() { own } else { std::env::current_exe()? };
    let arguments_of_child = child_arguments(arguments, input);
    Ok(Child { program: program.into(), arguments: arguments_of_child, time: arguments.publishing.compile_time })
}

fn child_arguments(arguments: &Arguments, input: &Input) -> Vec<OsString> {
    let mut list = vec![apart::NAME.to_owned(), format!("--memory={}", arguments.publishing.compile_memory)];
    list.extend(input.reading.observed.iter().map(|file| format!("--observed={file}")));
    list.extend(said(arguments, input));
    list.extend(["--".to_owned(), input.path.clone()]);
    list.into_iter().map(OsString::from).collect()
}

/// What makes the mesh besides files.
fn said(arguments: &Arguments, input: &Input) -> Vec<String> {
    let reading = &input.reading;
    let from = reading.from.and_then(|from| from.to_possible_value());
    let mut list: Vec<String> = from.map(|from| format!("--from={}", from.get_name())).into_iter().collect();
    list.extend(reading.tasks_here.then(|| "--tasks-here".to_owned()));
    list.extend(reading.variables.iter().map(|(name, text)| format!("--var={name}={text}")));
    list.extend(arguments.ecs.ecs.then(|| "--only-wanted".to_owned()));
    list.extend(arguments.ecs.clusters.iter().map(|cluster| format!("--cluster={cluster}")));
    let apart::Form { module_folder, local } = &arguments.form;
    list.extend(module_folder.as_ref().map(|folder| format!("--module-folder={folder}")));
    list.extend(local.as_ref().map(|range| format!("--local={range}")));
    list
}

/// Where states are kept, if they are, and what to say of it.
struct Kept {
    store: Option<Arc<dyn Store>>,
    /// Of the store, if nobody else has it.
    folder: Option<PathBuf>,
    told: String,
}

/// Without a store, serving goes on.
fn kept(arguments: &Arguments) -> Kept {
    let without = |why: String| Kept { store: None, folder: None, told: format!("nothing: {why}") };
    if arguments.publishing.no_state {
        return without("a restart waits for the compiler".to_owned());
    }
    let reading = || {
        let mut reading = child_arguments(arguments, &input(arguments, None));
        if arguments.ecs.ecs {
            reading.push("--ecs".into());
        }
        reading
    };
    let chosen = arguments.publishing.state.clone();
    let Some(folder) = chosen.or_else(|| state_folder::default(&reading())) else {
        return without("neither $STATE_DIRECTORY, $XDG_STATE_HOME nor $HOME is set".to_owned());
    };
    match FolderStore::open(&folder) {
        Ok(store) => {
            let ours = store.is_ours().unwrap_or(false);
            let other = if ours { "" } else { ", by another process" };
            let told = format!("{}{other}", folder.display());
            Kept { store: Some(Arc::new(store)), folder: ours.then_some(folder), told }
        }
        Err(error) => without(error.to_string()),
    }
}

fn trace_options(telling: &Telling) -> trace::Options {
    let format = match telling.log_format {
        LogFormat::Text => trace::Format::Text,
        LogFormat::Json => trace::Format::Json,
    };
    trace::Options { format, filter: telling.log.clone(), otlp: telling.otlp.clone() }
}

fn not_started(error: server::StartError) -> Exit {
    match error {
        server::StartError::NotAllowed(_) => Exit::usage(error),
        _ => error.into(),
    }
}

fn admin_not_started(error: admin::StartError) -> Exit {
    match error {
        admin::StartError::NotAllowed(_) => Exit::usage(error),
        admin::StartError::Listen { .. } => error.into(),
    }
}
