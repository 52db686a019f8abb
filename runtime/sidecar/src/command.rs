//! `meshwright sidecar`: beside Envoy in a task, as its first process.

mod own_bootstrap;

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use local::EnvoyBinary;
use local::launch::{Tie, become_program};

use crate::health::{self, DEFAULT_ADDRESS};
use crate::link::{ControlPlanes, Tls};
use crate::own::OwnError;
use crate::plan::{BUNDLE, Plan, PlanError};
use crate::run::{Options, RunError, run};
use crate::supervise::{Budget, Ended};
use crate::task::TaskError;

#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Arguments {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    beside: Beside,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Ask a running sidecar whether Envoy is ready: exit code 0 if so, 1 if not
    Health(HealthArguments),
    /// Become Envoy, which ends with the process that started it
    #[command(hide = true)]
    Become(BecomeArguments),
}

#[derive(Args, Debug)]
struct Beside {
    /// Folder that `meshwright bootstrap --socket` wrote; without it, the sidecar makes a bootstrap of its own
    #[arg(long, env = "MESHWRIGHT_BOOTSTRAP", value_name = "DIR")]
    bootstrap: Option<PathBuf>,
    /// Control planes, separated by commas; by default those of the bootstrap
    #[arg(long, env = "MESHWRIGHT_XDS", value_name = "HOST:PORT", value_delimiter = ',')]
    xds: Vec<String>,
    #[command(flatten)]
    own: own_bootstrap::Alone,
    /// Whom to believe as a control plane: certificates of authorities; by default as in the bootstrap
    #[arg(long, env = "MESHWRIGHT_CA", value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Our own certificate, which names the proxy
    #[arg(long, env = "MESHWRIGHT_CERTIFICATE", value_name = "FILE", requires_all = ["key", "ca"])]
    certificate: Option<PathBuf>,
    #[arg(long, env = "MESHWRIGHT_KEY", value_name = "FILE", requires = "certificate")]
    key: Option<PathBuf>,
    /// The name in the control planes' certificates; by default the host that is connected to
    #[arg(long, env = "MESHWRIGHT_SERVER_NAME", value_name = "NAME", requires = "ca")]
    server_name: Option<String>,
    /// The Envoy to run; by default `envoy` on PATH or in target/venv
    #[arg(long, env = "ENVOY", value_name = "PATH")]
    envoy: Option<PathBuf>,
    /// Where health checks are answered: /healthz, /readyz, /metrics
    #[arg(long, env = "MESHWRIGHT_HEALTH", value_name = "ADDRESS", default_value_t = DEFAULT_ADDRESS)]
    health: SocketAddr,
    /// How long Envoy may finish what it does after SIGTERM
    #[arg(long, env = "MESHWRIGHT_DRAIN", value_name = "TIME", default_value = "20s", value_parser = duration)]
    drain: Duration,
    /// Folder that keeps what Envoy acknowledged; by default $STATE_DIRECTORY, or `state` in the bootstrap's folder
    #[arg(long, env = "STATE_DIRECTORY", value_name = "DIR")]
    state: Option<PathBuf>,
    /// What Envoy is told before it acknowledged anything; by default that of the bootstrap
    #[arg(long, env = "MESHWRIGHT_BUNDLE", value_name = "FILE")]
    bundle: Option<PathBuf>,
    /// Tells this task from others of the same node; by default the host's name
    #[arg(long, env = "MESHWRIGHT_TASK", value_name = "TEXT")]
    task: Option<String>,
    /// How often Envoy is started again within --restarts-within before the sidecar ends, too
    #[arg(long, env = "MESHWRIGHT_RESTARTS", value_name = "COUNT", default_value_t = 5)]
    restarts: usize,
    #[arg(long, env = "MESHWRIGHT_RESTARTS_WITHIN", value_name = "TIME", default_value = "60s", value_parser = duration)]
    restarts_within: Duration,
    /// How our log lines look, on standard error, where Envoy's own go
    #[arg(long, env = "MESHWRIGHT_LOG_FORMAT", value_enum, default_value_t)]
    log_format: LogFormat,
    /// Arguments of Envoy
    #[arg(last = true, value_name = "ENVOY ARGUMENTS")]
    arguments: Vec<OsString>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum LogFormat {
    /// A line each
    #[default]
    Text,
    /// An object a line
    Json,
}

#[derive(Args, Debug)]
struct HealthArguments {
    #[arg(long, env = "MESHWRIGHT_HEALTH", value_name = "ADDRESS", default_value_t = DEFAULT_ADDRESS)]
    health: SocketAddr,
    /// Ask whether the sidecar lives, whatever Envoy does
    #[arg(long)]
    alive: bool,
}

#[derive(Args, Debug)]
struct BecomeArguments {
    parent: u32,
    path: PathBuf,
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    #[error(transparent)]
    Plan(#[from] PlanError),
    #[error(transparent)]
    Own(#[from] OwnError),
    #[error(transparent)]
    Task(#[from] TaskError),
    #[error(transparent)]
    Run(#[from] RunError),
    #[error(transparent)]
    Envoy(#[from] local::envoy::FindError),
    #[error("cannot run `{path}`: {source}")]
    Start { path: PathBuf, source: std::io::Error },
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// To be mended in the command line.
    #[error("{0}")]
    Usage(String),
}

/// Runs to the end; the number is the process's exit code. `starter` is the command that takes `become` and the like.
pub fn execute(arguments: &Arguments, starter: Vec<OsString>) -> Result<u8, CommandError> {
    let runtime = || tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    match &arguments.action {
        Some(Action::Become(BecomeArguments { parent, path, arguments })) => {
            Err(CommandError::Start { path: path.clone(), source: become_program(*parent, path, arguments) })
        }
        Some(Action::Health(HealthArguments { health, alive })) => {
            let path = if *alive { "/healthz" } else { "/readyz" };
            match runtime()?.block_on(health::ask(*health, path)) {
                Ok(said) => println!("{said}"),
                Err(reason) => {
                    eprintln!("{reason}");
                    return Ok(1);
                }
            }
            Ok(0)
        }
        None => {
            log_to_stderr(arguments.beside.log_format);
            let runtime = runtime()?;
            let options = runtime.block_on(options(&arguments.beside, starter))?;
            let path = options.envoy.clone();
            let ended = runtime.block_on(run(options))?;
            if let Ended::CannotStart(source) = ended {
                return Err(CommandError::Start { path, source });
            }
            Ok(ended.exit_code())
        }
    }
}

fn log_to_stderr(format: LogFormat) {
    let lines = tracing_subscriber::fmt().with_writer(std::io::stderr).with_target(false).with_ansi(false);
    // Whoever calls us as a library may have said where logs go.
    drop(match format {
        LogFormat::Text => lines.try_init(),
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    });
}

async fn options(beside: &Beside, mut starter: Vec<OsString>) -> Result<Options, CommandError> {
    let Some(folder) = &beside.bootstrap else { return own_bootstrap::options(beside, starter).await };
    let folder = folder.canonicalize().map_err(|source| PlanError::Read { path: folder.clone(), source })?;
    let plan = Plan::read(&folder)?;
    let Some(socket) = &plan.socket else {
        return Err(CommandError::Usage(format!(
            "the Envoy of `{}` asks control planes itself: write it for a sidecar with `meshwright bootstrap --socket PATH`",
            folder.display()
        )));
    };
    let servers = if beside.xds.is_empty() { plan.control_planes.clone() } else { beside.xds.clone() };
    starter.push("become".into());
    let state = beside.state.clone().unwrap_or_else(|| folder.join("state"));
    Ok(Options {
        state: Some(state.join(format!("{}.last-good", file_name(&plan.proxy)))),
        bundle: beside.bundle.clone().unwrap_or_else(|| folder.join(BUNDLE)),
        socket: socket.clone(),
        control_planes: ControlPlanes { servers, tls: tls(beside, &plan, &folder)? },
        health: beside.health,
        admin: plan.admin,
        envoy: absolute(&local::find(beside.envoy.as_deref())?),
        arguments: beside.arguments.clone(),
        tie: Tie::Through(starter),
        drain: beside.drain,
        budget: Budget::new(beside.restarts, beside.restarts_within),
        task: beside.task.clone().unwrap_or_else(host_name),
        proxy: plan.proxy,
        folder,
    })
}

fn tls(beside: &Beside, plan: &Plan, folder: &Path) -> Result<Option<Tls>, CommandError> {
    let both = |certificate: &Option<PathBuf>, key: &Option<PathBuf>| match (certificate, key) {
        (Some(certificate), Some(key)) => Ok(Some((folder.join(certificate), folder.join(key)))),
        (None, None) => Ok(None),
        _ => Err(CommandError::Usage("a certificate and its key belong together".to_owned())),
    };
    if let Some(ca) = &beside.ca {
        // What is said here is relative to where it is said.
        let here = |path: &PathBuf| std::path::absolute(path).unwrap_or_else(|_| path.clone());
        let identity = both(&beside.certificate.as_ref().map(here), &beside.key.as_ref().map(here))?;
        return Ok(Some(Tls { authority: here(ca), identity, server_name: beside.server_name.clone() }));
    }
    let Some(planned) = &plan.tls else { return Ok(None) };
    let identity = both(&planned.certificate, &planned.key)?;
    Ok(Some(Tls { authority: folder.join(&planned.ca), identity, server_name: planned.server_name.clone() }))
}

fn absolute(envoy: &EnvoyBinary) -> PathBuf {
    std::path::absolute(envoy.path()).unwrap_or_else(|_| envoy.path().to_owned())
}

/// Names of proxies may hold `/`; `~` they never do.
fn file_name(proxy: &str) -> String {
    proxy.replace('/', "~")
}

fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// `250ms`, `20s`, `5m`, as meshes say it.
pub fn duration(text: &str) -> Result<Duration, String> {
    let expected = || format!("`{text}` is no time such as `250ms`, `20s` or `5m`");
    let unit = text.find(|character: char| !character.is_ascii_digit()).ok_or_else(expected)?;
    let (number, unit) = text.split_at(unit);
    let number: u64 = number.parse().map_err(|_| expected())?;
    match unit {
        "ms" => Ok(Duration::from_millis(number)),
        "s" => Ok(Duration::from_secs(number)),
        "m" => number.checked_mul(60).map(Duration::from_secs).ok_or_else(expected),
        _ => Err(expected()),
    }
}
