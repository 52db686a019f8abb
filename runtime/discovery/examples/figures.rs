//! The figures of discovery: what it does when AWS fails, and what it costs. `cargo run -p meshwright-discovery --example figures`
//!
//! The AWS is one in memory, on a clock that does not wait.

#[allow(dead_code, reason = "the tests use the rest")]
#[path = "../tests/it/scenes.rs"]
mod scenes;
#[allow(dead_code, reason = "the tests use the rest")]
#[path = "../tests/it/world.rs"]
mod world;

use std::sync::Arc;
use std::time::{Duration, Instant};

use compiler::import::ecs::Wants;
use discovery::api::{Fault, Kind};
use discovery::{Options, Reader};

use scenes::{crowd, outage, run, until};
use world::{How, World};

fn main() -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build()?;
    runtime.block_on(async {
        println!("{:<44} {:<34} figure", "scenario", "target");
        // First: what is freed later is not given back.
        memory().await;
        crowds().await;
        outages().await;
        moments().await;
        vanishing().await;
        costs().await;
    });
    Ok(())
}

fn row(scenario: &str, target: &str, figure: impl AsRef<str>) {
    println!("{scenario:<44} {target:<34} {}", figure.as_ref());
}

async fn crowds() {
    let crowd = crowd(3_000, 3, 30).await;
    let at = |share: usize| {
        let last = crowd.staleness.len().saturating_sub(1);
        crowd.staleness.get(last * share / 100).map_or(0.0, Duration::as_secs_f64)
    };
    // Calls are counted in thousands.
    let share = 100.0 * crowd.throttled as f64 / crowd.calls as f64;
    let throttled = format!("{:.2} % of {} calls", share, crowd.calls);
    row("C1 3,000 tasks, 3 replicas, 20/s, 30 min", "throttled at most 1 %", throttled);
    row("C1", "endpoints lost: 0", crowd.lost.to_string());
    row(
        "C1",
        "staleness p99 at most 2 polls (36 s)",
        format!("p50 {:.1} s, p99 {:.1} s, max {:.1} s", at(50), at(99), at(100)),
    );
}

async fn outages() {
    let hows = [
        ("C2 10 min of ThrottlingException", How::With(Kind::Throttled)),
        ("C2 10 min of 500", How::With(Kind::Unavailable)),
        ("C2 10 min of resets", How::With(Kind::Connection)),
        ("C2 10 min of silence, or slow bodies", How::Silence),
        ("C7 10 min without credentials", How::With(Kind::Credentials)),
    ];
    for (name, how) in hows {
        let (mut worst, mut calls, mut retained) = (Duration::ZERO, 0, u32::MAX);
        for seed in 0..10 {
            let outage = outage(1_000, how, seed).await;
            worst = worst.max(outage.recovery);
            calls = calls.max(outage.calls);
            retained = retained.min(u32::try_from(outage.retained).unwrap_or(0));
        }
        let figure = format!("{} %, {calls} calls, {:.1} s (worst of 10)", retained / 10, worst.as_secs_f64());
        row(name, "100 % kept, recovery 48 s and a read", figure);
    }
}

async fn moments() {
    let world = World::of(450);
    let mut reader = Reader::new(&Options { seed: 1, calls_per_second: 1_000.0, ..Options::default() });
    let mut partial = 0;
    for page in 0..5 {
        for kind in [Kind::Throttled, Kind::Unavailable, Kind::Timeout, Kind::Connection, Kind::Denied] {
            let failing = move |number: usize, answer| match number == page {
                true => Err(Fault::new(kind, "ListTasks", "as the example says")),
                false => Ok(answer),
            };
            world.change(|state| state.page = Some(Box::new(failing)));
            let (answer, _) = reader.read(&world, &Wants::default(), Arc::new(|_| ())).await;
            partial += u32::from(answer.is_ok());
        }
    }
    row("C3 one page of 5 fails, in 5 ways", "partial reads published: 0 of 25", partial.to_string());

    let world = World::of(100);
    let mut reader = Reader::new(&Options { seed: 1, calls_per_second: 1_000.0, ..Options::default() });
    let mut tasks = Vec::new();
    for broken in [false, true, true, true, true] {
        if broken && tasks.len() == 1 {
            let new = world.start("s0");
            world.change(|state| {
                state.broken_families.insert("s0".to_owned(), Kind::Throttled);
                if let Some(seen) = state.tasks.get_mut(&new) {
                    seen.task.task_definition = seen.task.task_definition.replace(":1", ":2");
                }
            });
            world.start("s1");
        }
        let (answer, _) = reader.read(&world, &Wants::default(), Arc::new(|_| ())).await;
        tasks.push(answer.map_or("-".to_owned(), |moment| moment.observation.tasks.len().to_string()));
    }
    row("C4 one family's definitions are throttled", "its 50 tasks kept, others go on", tasks.join(" "));
}

async fn vanishing() {
    let world = World::of(1_000);
    let (mut handle, _wants) = run(&world, 1);
    until(&mut handle, |status| status.running == 1_000).await;
    world.change(|state| state.tasks.clear());
    let started = tokio::time::Instant::now();
    until(&mut handle, |status| status.preserving.is_some()).await;
    let kept = handle.status.borrow().retained;
    until(&mut handle, |status| status.preserving.is_none()).await;
    let figure = format!("{kept} kept, let go after {:.0} s", started.elapsed().as_secs_f64());
    row("A14 all 1,000 tasks vanish, no evidence", "kept until 3 whole reads agree", figure);
}

async fn costs() {
    for tasks in [100, 1_000, 3_000] {
        let world = World::of(tasks);
        let (mut handle, _wants) = run(&world, 1);
        let first = until(&mut handle, |status| status.last_read.is_some() && status.reading.is_none()).await;
        until(&mut handle, |status| status.reading.is_some()).await;
        let next = until(&mut handle, |status| status.reading.is_none()).await;
        let (first, next) = (first.last_read.unwrap_or_default(), next.last_read.unwrap_or_default());
        let figure =
            format!("{} ({:.1} s); first read {} ({:.1} s)", next.calls, next.seconds, first.calls, first.seconds);
        row(&format!("calls of a poll, {tasks} tasks"), "2 for 100 tasks", figure);
    }
}

async fn memory() {
    let before = resident();
    let world = World::of(3_000);
    let of_the_world = resident();
    let mut reader = Reader::new(&Options { seed: 1, calls_per_second: 1e9, ..Options::default() });
    let started = Instant::now();
    let (answer, _) = reader.read(&world, &Wants::default(), Arc::new(|_| ())).await;
    let took = started.elapsed();
    let text = answer.map(|moment| compiler::observation::text::write(&moment.observation)).unwrap_or_default();
    let figure = format!(
        "{} KiB (world {} KiB), text {} KiB, {} ms of work",
        resident().saturating_sub(of_the_world),
        of_the_world.saturating_sub(before),
        text.len() / 1_024,
        took.as_millis()
    );
    row("memory of 3,000 tasks", "-", figure);
}

/// Of this process, in KiB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}
