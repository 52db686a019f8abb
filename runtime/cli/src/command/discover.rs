//! `meshwright discover`: what runs on ECS, shown and recorded.

mod groups;

use std::io::IsTerminal;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::{Args, ValueEnum};
use compiler::import::ecs::{Wants, wants};
use compiler::observation::Observation;
use discovery::run::{OnProgress, Progress};
use discovery::write::Writer;
use discovery::{Aws, Moment, Options, Reader, Status};
use indicatif::ProgressBar;
use tokio::sync::watch;

use super::serve::ecs::{calls, interval};
use crate::exit::{Exit, ExitStatus};
use crate::input::{Input, Reading, load};
use crate::judge::{Stages, judge};
use crate::levels::Levels;
use crate::report::{self, Report, Role};

#[derive(Args, Debug)]
pub struct Arguments {
    /// The mesh that says which clusters and services of Cloud Map to read
    mesh: Option<String>,
    /// Let `${NAME}` in the mesh stand for TEXT, whatever the mesh says of it
    #[arg(long = "var", value_name = "NAME=TEXT", value_parser = crate::input::variable)]
    variables: Vec<(String, String)>,
    /// A cluster to read, by its name or ARN, or `*` for all of the account; by default those that the mesh names, else
    /// `default`
    #[arg(long = "cluster", value_name = "NAME")]
    clusters: Vec<String>,
    /// Write what runs to a file, one record a line; only its owner can read it
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Go on reading; show and record whatever changes
    #[arg(long)]
    watch: bool,
    /// How often ECS is read while watching, give or take a fifth; less often where the calls do not suffice
    #[arg(long, value_name = "TIME", default_value = "15s", value_parser = interval)]
    interval: Duration,
    /// How many calls of AWS a second may take
    #[arg(long, value_name = "NUMBER", default_value_t = 5.0, value_parser = calls)]
    calls_per_second: f64,
    /// How what runs is shown, and what is wrong with the mesh
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    levels: Levels,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    #[default]
    Text,
    Json,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitStatus, Exit> {
    let Some(wants) = wanted(arguments)? else { return Ok(ExitStatus::Invalid) };
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let aws = Aws::from_environment().await.map_err(Exit::usage)?;
        match arguments.watch {
            true => watch(arguments, aws, wants).await,
            false => once(arguments, &aws, &wants).await,
        }
    })
}

/// None if the mesh cannot be read: its mistakes are told.
fn wanted(arguments: &Arguments) -> Result<Option<Wants>, Exit> {
    let mut wanted = Wants::default();
    if let Some(path) = &arguments.mesh {
        let reading = Reading { variables: arguments.variables.clone(), ..Reading::default() };
        let mut loaded = load(&Input { path: path.clone(), reading })?;
        let Some(mesh) = &loaded.mesh else {
            let verdict = judge(&mut loaded, Stages::Some, &arguments.levels);
            let format = match arguments.format {
                Format::Text => report::Format::Text,
                Format::Json => report::Format::Json,
            };
            report::print(&Report::of(&loaded, &verdict), format, Role::Remark)?;
            return Ok(None);
        };
        wanted = wants(mesh);
    }
    if !arguments.clusters.is_empty() {
        wanted.clusters = arguments.clusters.iter().cloned().collect();
    }
    Ok(Some(wanted))
}

async fn once(arguments: &Arguments, aws: &Aws, wants: &Wants) -> Result<ExitStatus, Exit> {
    let (bar, started) = (spinner(), Instant::now());
    let mut reader = Reader::new(&options(arguments));
    let (answer, made) = reader.read(aws, wants, progress(bar.clone())).await;
    bar.finish_and_clear();
    let moment = answer.context("nothing is recorded: what runs could not be read whole")?;
    warn(&moment);
    let mut writer = arguments.record.clone().map(Writer::new);
    record(writer.as_mut(), &moment.observation)?;
    show(arguments.format, &moment.observation, made.calls, started.elapsed())?;
    Ok(ExitStatus::Ok)
}

async fn watch(arguments: &Arguments, aws: Aws, wants: Wants) -> Result<ExitStatus, Exit> {
    let wants = watch::Sender::new(wants);
    let mut handle = discovery::start(options(arguments), aws, wants.subscribe());
    let (mut writer, mut alarms) = (arguments.record.clone().map(Writer::new), Vec::new());
    loop {
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => {
                interrupted?;
                return Ok(ExitStatus::Ok);
            }
            changed = handle.observed.changed() => {
                changed?;
                let Some(observed) = handle.observed.borrow_and_update().clone() else { continue };
                record(writer.as_mut(), &observed)?;
                let read = handle.status.borrow().last_read.unwrap_or_default();
                show(arguments.format, &observed, read.calls, Duration::from_secs_f64(read.seconds))?;
            }
            changed = handle.status.changed() => {
                changed?;
                let status: Status = handle.status.borrow_and_update().clone();
                let now = status.alarms();
                for alarm in now.iter().filter(|alarm| !alarms.contains(*alarm)) {
                    eprintln!("warning: {alarm}");
                }
                alarms = now;
            }
        }
    }
}

fn options(arguments: &Arguments) -> Options {
    Options { interval: arguments.interval, calls_per_second: arguments.calls_per_second, ..Options::default() }
}

fn record(writer: Option<&mut Writer>, observation: &Observation) -> Result<(), Exit> {
    if let Some(writer) = writer {
        writer.write(observation).context("the record cannot be written")?;
    }
    Ok(())
}

fn show(format: Format, observation: &Observation, calls: u64, took: Duration) -> Result<(), Exit> {
    let text = match format {
        Format::Text => groups::text(observation, calls, took),
        Format::Json => groups::json(observation, calls, took)?,
    };
    crate::write::to_stdout(&text)?;
    Ok(())
}

fn warn(moment: &Moment) {
    for family in &moment.unread {
        eprintln!("warning: a task definition of `{family}` cannot be read: its tasks are left out");
    }
    for definition in &moment.observation.task_definitions {
        if let Some(reason) = &definition.refused {
            eprintln!("warning: what `{}:{}` says is not recorded: {reason}", definition.family, definition.revision);
        }
    }
}

/// On a terminal only.
fn spinner() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new_spinner().with_message("reading ECS");
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

fn progress(bar: ProgressBar) -> OnProgress {
    Arc::new(move |Progress { calls, throttled, tasks }| {
        let throttled = if throttled > 0 { format!(", {throttled} of them throttled") } else { String::new() };
        bar.set_message(format!("reading ECS: {tasks} tasks, {calls} calls{throttled}"));
    })
}
