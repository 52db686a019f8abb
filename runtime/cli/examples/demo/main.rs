//! The main job, shown: `examples/bent-playground` is compiled, runs on real Envoys, and every request below meets
//! what its mesh says. Exits 0 only if all do.

mod requests;
mod shares;
mod table;

use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context;
use local::Options;
use meshwright::input::{Format, Input, Reading};
use meshwright::launch::{Addresses, Started, start};
use meshwright::mesh::ready;
use meshwright::report;

use table::Row;

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("demo: error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> anyhow::Result<bool> {
    let begin = Instant::now();
    let input = Input {
        path: "examples/bent-playground/config.yaml".to_owned(),
        reading: Reading { from: Some(Format::Bent), ..Reading::default() },
    };
    say(&format!("compiling {}", input.path));
    let ready = ready(&input, report::Format::Text).map_err(|exit| exit.error)?.context("the example has mistakes")?;
    let binary = local::find(None)?;
    let addresses = Addresses::claim().map_err(|exit| exit.error)?;
    say(&format!("starting {} Envoys ({})", ready.checked.proxies().count(), binary.version().await?));
    let started = start(&ready, addresses, Options::new(binary.clone())).await.map_err(|exit| exit.error)?;
    started.running.wait_healthy(Duration::from_secs(30)).await?;
    say(&format!("all healthy after {:.1} s; sending requests", begin.elapsed().as_secs_f64()));
    let rows = rows(&started, &binary).await;
    started.running.stop().await;
    let rows = rows?;
    println!("{}", table::text(&rows));
    let wrong = rows.iter().filter(|row| !row.agrees).count();
    println!("\n{} of {} as the mesh says, {:.1} s", rows.len() - wrong, rows.len(), begin.elapsed().as_secs_f64());
    Ok(wrong == 0)
}

async fn rows(started: &Started, binary: &local::EnvoyBinary) -> anyhow::Result<Vec<Row>> {
    let mut rows = requests::single(started).await?;
    rows.extend(shares::all(started).await?);
    rows.push(accepted(started, binary).await?);
    Ok(rows)
}

/// Every configuration of the run passes Envoy's own validation, without a word about deprecation.
async fn accepted(started: &Started, binary: &local::EnvoyBinary) -> anyhow::Result<Row> {
    let (mut accepted, mut warnings, mut count) = (0, 0, 0);
    for instance in started.running.instances() {
        let report = binary.validate(Path::new(instance.config_file()), started.running.folder()).await?;
        count += 1;
        accepted += usize::from(report.accepted);
        warnings += report.warnings.len();
    }
    Ok(Row {
        request: "envoy --mode validate, every configuration".to_owned(),
        expected: format!("{count} accepted, 0 warnings"),
        got: format!("{accepted} accepted, {warnings} warnings"),
        decided_by: "envoy".to_owned(),
        agrees: accepted == count && warnings == 0,
    })
}

fn say(text: &str) {
    eprintln!("demo: {text}");
}
