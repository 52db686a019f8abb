//! `meshwright up`: the mesh on this machine, one real Envoy a node.

mod follow;
mod table;

use std::io::IsTerminal;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use local::{EnvoyBinary, Event, EventKind, Options, RunFolder, Running, Subnet};
use tokio::signal::unix::{SignalKind, signal};

use crate::exit::{Exit, ExitStatus};
use crate::input::Input;
use crate::launch::{Addresses, Form, XDS_SUBNET, start_as};
use crate::mesh::{Ready, ready};
use crate::report::Format;

const HEALTHY_WITHIN: Duration = Duration::from_secs(30);

#[derive(Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    input: Input,
    /// Loopback addresses to use; by default a free /24 of 127.64.0.0/10, with `--xds` 127.80.0.0/24
    #[arg(long, value_name = "CIDR")]
    subnet: Option<String>,
    /// Let Envoys follow a control plane, `meshwright serve MESH --local`, and every change of the mesh with it; by
    /// default the one at 127.0.0.1:18000. Of several, divided by commas, the next takes over when one is gone
    #[arg(
        long,
        value_name = "ADDR",
        num_args = 0..=1,
        require_equals = true,
        value_delimiter = ',',
        default_missing_value = "127.0.0.1:18000"
    )]
    xds: Vec<SocketAddr>,
    /// The Envoy to run; by default `envoy` on PATH or in target/venv
    #[arg(long, env = "ENVOY", value_name = "PATH")]
    envoy: Option<PathBuf>,
    /// Folder for configurations and logs, kept afterwards; by default a temporary one
    #[arg(long, value_name = "DIR")]
    run_folder: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitStatus, Exit> {
    let Some(ready) = ready(&arguments.input, Format::Text)? else { return Ok(ExitStatus::Invalid) };
    let claim = claim(arguments)?;
    let binary = local::find(arguments.envoy.as_deref())?;
    let options = Options {
        folder: arguments.run_folder.clone().map_or(RunFolder::Temporary, RunFolder::At),
        ..Options::new(binary)
    };
    let runtime = tokio::runtime::Runtime::new()?;
    let form = if arguments.xds.is_empty() { Form::Static } else { Form::Asking(arguments.xds.clone()) };
    runtime.block_on(serve(&ready, form, claim, options))
}

fn claim(arguments: &Arguments) -> Result<Addresses, Exit> {
    let shared = (!arguments.xds.is_empty()).then_some(XDS_SUBNET);
    match arguments.subnet.as_deref().or(shared) {
        Some(text) => Ok(Addresses { subnet: Subnet::fixed(text).map_err(Exit::usage)?, claim: None }),
        None => Addresses::claim(),
    }
}

/// Until a signal: then everything ends.
async fn serve(ready: &Ready, form: Form, addresses: Addresses, options: Options) -> Result<ExitStatus, Exit> {
    // Before the first Envoy starts, so that no signal finds one that nobody stops.
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    warn_about_version(&options.binary).await?;
    let progress = progress();
    let servers = if let Form::Asking(servers) = &form { servers.clone() } else { Vec::new() };
    let starting = async {
        if !servers.is_empty() {
            follow::wait_for_any(&servers, |text| progress.suspend(|| eprintln!("{text}"))).await;
        }
        start_as(form, ready, addresses, options).await
    };
    let started = tokio::select! {
        started = starting => started?,
        _ = interrupt.recv() => return Ok(ExitStatus::Ok),
        _ = terminate.recv() => return Ok(ExitStatus::Ok),
    };
    let mut events = started.running.events();
    progress.set_message("waiting for the first health checks");
    let healthy = tokio::select! {
        healthy = started.running.wait_healthy(HEALTHY_WITHIN) => healthy,
        _ = interrupt.recv() => return stop(started.running).await,
        _ = terminate.recv() => return stop(started.running).await,
    };
    progress.finish_and_clear();
    if let Err(error) = healthy {
        eprintln!("warning: {error}");
    }
    if !servers.is_empty() {
        for instance in follow::untold(&started.running).await {
            eprintln!("warning: the control plane tells `{instance}` nothing: does it serve this mesh with `--local`?");
        }
    }
    println!("{}", table::text(&started, &servers));
    loop {
        tokio::select! {
            _ = interrupt.recv() => return stop(started.running).await,
            _ = terminate.recv() => return stop(started.running).await,
            event = events.recv() => if let Ok(event) = event { report(&event) },
        }
    }
}

async fn stop(running: Running) -> Result<ExitStatus, Exit> {
    eprintln!("\nstopping {} Envoys", running.instances().count());
    running.stop().await;
    Ok(ExitStatus::Ok)
}

async fn warn_about_version(binary: &EnvoyBinary) -> Result<(), Exit> {
    let version = binary.version().await?;
    if !version.is_supported() {
        eprintln!("warning: this is Envoy {version}; configurations are made for Envoy 1.40");
    }
    Ok(())
}

fn report(event: &Event) {
    let Event { instance, kind } = event;
    match kind {
        EventKind::Died { status } => eprintln!("{instance}: Envoy died ({status}); starting it again"),
        EventKind::Restarted { pid } => eprintln!("{instance}: Envoy is ready again (process {pid})"),
        EventKind::GaveUp { .. } => eprintln!("{instance}: Envoy keeps dying; given up. Its log is in the run folder"),
    }
}

/// A spinner on a terminal, nothing in a pipe.
fn progress() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{spinner} {msg} ({elapsed})")
        .unwrap_or_else(|_| ProgressStyle::default_spinner());
    let bar = ProgressBar::new_spinner().with_style(style).with_message("starting Envoys");
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}
