//! Hostile requests to every filter in a real Envoy, for so many minutes: `cargo run --example soak -- 30`.
//!
//! Every configuration of every table has a listener, and all of them share one virtual machine. It says how many
//! requests were answered how, and fails if the virtual machine has crashed or a filter could not do its work.

#[allow(dead_code, reason = "the tests use the rest")]
#[path = "../tests/in_envoy/bootstrap.rs"]
mod bootstrap;
#[path = "soak/client.rs"]
mod client;
#[path = "soak/hostile.rs"]
mod hostile;
#[allow(dead_code, reason = "the tests use the rest")]
#[path = "../tests/in_envoy/world.rs"]
mod world;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use policy::testdata::{Case, tables};

use bootstrap::{listener_name, plugins};
use client::Answer;
use hostile::Chance;
use world::World;

/// Many, because most of them wait: for delays, and with bodies that never come.
const CLIENTS: u64 = 24;

fn main() -> ExitCode {
    let minutes: f64 = env::args().nth(1).and_then(|minutes| minutes.parse().ok()).unwrap_or(30.0);
    let tables = tables().expect("the tables are well-formed");
    let envoy = World::start(&plugins(&tables));
    let targets: Vec<(SocketAddr, Case)> = tables
        .iter()
        .flat_map(|table| table.cases.iter().map(move |case| (listener_name(table.root_id, &case.config), case)))
        .map(|(name, case)| (envoy.listener(&name), case.clone()))
        .collect();
    println!("{} filters, {} configurations, {} cases", tables.len(), plugins(&tables).len(), targets.len());

    let started = Instant::now();
    let until = started + Duration::from_secs_f64(minutes * 60.0);
    let warm = Duration::from_secs_f64(minutes * 6.0);
    let mut before = None;
    let mut tally = Tally::default();
    thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|number| {
                let targets = &targets;
                scope.spawn(move || attack(targets, until, Chance(number + 1)))
            })
            .collect();
        // Caches and arenas are full after a tenth of the time.
        thread::sleep(warm);
        before = envoy.pid().and_then(resident);
        for client in clients {
            tally.add(client.join().expect("a client does not panic"));
        }
    });
    let after = envoy.pid().and_then(resident);
    report(&tally, started.elapsed(), before, after, &envoy)
}

/// What came of the requests of one client.
#[derive(Default)]
struct Tally {
    sent: u64,
    unanswered: u64,
    statuses: BTreeMap<u16, u64>,
    /// Of answers that are not the upstream's, by status.
    details: BTreeMap<(u16, String), u64>,
}

impl Tally {
    fn add(&mut self, other: Tally) {
        self.sent += other.sent;
        self.unanswered += other.unanswered;
        for (status, count) in other.statuses {
            *self.statuses.entry(status).or_default() += count;
        }
        for (details, count) in other.details {
            *self.details.entry(details).or_default() += count;
        }
    }
}

fn attack(targets: &[(SocketAddr, Case)], until: Instant, mut chance: Chance) -> Tally {
    let mut tally = Tally::default();
    while Instant::now() < until {
        let Some((listener, case)) = targets.get(chance.below(targets.len())) else { break };
        let request = hostile::request(case, targets, &mut chance);
        tally.sent += 1;
        match client::send(*listener, &request) {
            Some(Answer { status, details }) => {
                *tally.statuses.entry(status).or_default() += 1;
                if let Some(details) = details {
                    *tally.details.entry((status, details)).or_default() += 1;
                }
            }
            None => tally.unanswered += 1,
        }
    }
    tally
}

fn report(tally: &Tally, took: Duration, before: Option<u64>, after: Option<u64>, envoy: &World) -> ExitCode {
    println!(
        "{} requests in {:.1} minutes, {} without an answer",
        tally.sent,
        took.as_secs_f64() / 60.0,
        tally.unanswered
    );
    for class in 2..=5 {
        let of_class = tally.statuses.iter().filter(|(status, _)| **status / 100 == class);
        println!("  {class}xx: {}", of_class.map(|(_, count)| count).sum::<u64>());
    }
    println!("answers that are not the upstream's:");
    for ((status, details), count) in &tally.details {
        println!("  {status} {details}: {count}");
    }
    println!("resident memory: {before:?} KiB after a tenth of the time, {after:?} KiB at its end");

    let failed = tally.details.iter().filter(|((_, details), _)| {
        details.contains("meshwright_filter_failed") || details.contains("wasm_fail_stream")
    });
    let failed: u64 = failed.map(|(_, count)| count).sum();
    let stats = envoy.admin("/stats?filter=vm_reload|wasm.*crash|wasm.*fail");
    let crashed: Vec<&str> = stats.lines().filter(|line| !line.ends_with(": 0")).collect();
    let log = envoy.log();
    let words: Vec<&str> = log
        .lines()
        .filter(|line| ["Function:", "VM failed", "panicked"].iter().any(|word| line.contains(word)))
        .collect();
    println!(
        "answers of a filter that failed: {failed}; counters of crashes: {crashed:?}; crashes in the log: {}",
        words.len()
    );
    let is_alive = envoy.pid().and_then(resident).is_some();
    if failed == 0 && crashed.is_empty() && words.is_empty() && is_alive {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// In KiB.
fn resident(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}
