//! What runs on ECS becomes the mesh, shown: task definitions as people register them, a real control plane that asks AWS,
//! real Envoys beside workloads, and requests all the time. Exits 0 only if none of them was lost.
//!
//! With numbers, such as `100 1000 3000`, it shows instead what reading so many tasks costs.
//!
//! AWS is a fake that can do what no emulator can; that the command speaks AWS's protocol, moto shows first.

mod crowds;
mod emulator;
mod shop;
mod table;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context as _;
use trials::tasks::Tasks;
use trials::tasks::event::Event;

#[tokio::main]
async fn main() -> ExitCode {
    let begin = Instant::now();
    let sizes: Vec<usize> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    if !sizes.is_empty() {
        return crowds::show(&sizes).await;
    }
    match run().await {
        Ok(events) => {
            println!("{}", table::text(&events));
            let requests: u64 = events.iter().map(|event| event.requests).sum();
            let lost: u64 = events.iter().map(|event| event.lost).sum();
            println!("\n{requests} requests, {lost} failed, {:.0} s", begin.elapsed().as_secs_f64());
            if events.iter().all(Event::is_well) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("demo-ecs: error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> anyhow::Result<Vec<Event>> {
    let program = program()?;
    let binary = local::find(None)?;
    emulator::show(&program).await?;
    say(&format!("starting a fake AWS; tasks are Envoys ({}) and workloads on this machine", binary.version().await?));
    let mut tasks = Tasks::new(program, &binary).await?;
    let events = shop::events(&mut tasks).await;
    tasks.end().await;
    events
}

/// The command, which was built beside this example.
fn program() -> anyhow::Result<PathBuf> {
    let us = std::env::current_exe()?;
    let program = us.ancestors().nth(2).map(|folder| folder.join("meshwright")).filter(|file| file.exists());
    program.context("`meshwright` is not built beside this example: `make demo-ecs` does it")
}

fn say(text: &str) {
    eprintln!("demo-ecs: {text}");
}
