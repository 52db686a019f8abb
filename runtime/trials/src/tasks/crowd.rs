//! As many tasks as an account may have: what reading them costs AWS and the control plane. Nothing runs in them.

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use fake::failure::Failure;
use fake::world::{NewService, Pace, World};
use tokio::time::{Instant, sleep};

use super::definitions::{ORDERS, json};
use super::{CLUSTER, Tasks};
use crate::serve::Serve;

const TASKS_OF_A_FAMILY: usize = 10;
const POLL: Duration = Duration::from_millis(50);
/// Five calls a second, and one for every family at first.
const PATIENCE: Duration = Duration::from_secs(300);

/// What so many tasks came to.
#[derive(Clone, Copy, Debug)]
pub struct Crowd {
    pub tasks: usize,
    pub families: usize,
    /// From the start of the control plane to its first answers.
    pub ready: Duration,
    /// Calls until then.
    pub first: u64,
    /// Calls of a read after it.
    pub each: f64,
    /// Between the beginnings of two reads.
    pub interval: Duration,
    /// Megabytes of the control plane's memory, now and at its highest.
    pub resident: u64,
    pub highest: u64,
}

/// `interval` is how often AWS is to be asked; the budget of calls may allow it less often.
pub async fn crowd(tasks: &Tasks, size: usize, interval: Duration) -> anyhow::Result<Crowd> {
    let families = size.div_ceil(TASKS_OF_A_FAMILY);
    tasks.fake.change(|world| fill(world, size))?;
    let mut setup = tasks.serve(None)?;
    if let Some(ecs) = &mut setup.ecs {
        ecs.interval = interval;
        ecs.arguments.retain(|argument| argument != "--tasks-here");
    }
    tasks.fake.forget_calls();
    let begun = Instant::now();
    let serve = Serve::spawn(&setup)?;
    while !serve.is_ready().await {
        anyhow::ensure!(begun.elapsed() < PATIENCE, "it does not become ready: {}", tasks.log());
        sleep(POLL).await;
    }
    let (ready, first) = (begun.elapsed(), tasks.fake.calls().total());
    // Every read begins with the first page of the list.
    let pages = u64::try_from(size.div_ceil(100))?;
    let reads = || tasks.polls() / pages.max(1);
    let (begun, before, calls) = whole(&reads, tasks).await?;
    let (ended, after, more) = loop {
        let (at, read, calls) = whole(&reads, tasks).await?;
        if read >= before + 2 {
            break (at, read, calls);
        }
    };
    let reads = u32::try_from(after - before)?;
    let memory = serve.pid().context("it runs")?;
    let crowd = Crowd {
        tasks: size,
        families,
        ready,
        first,
        each: (more - calls) as f64 / f64::from(reads),
        interval: ended.saturating_duration_since(begun) / reads,
        resident: memory_of(memory, "VmRSS:")?,
        highest: memory_of(memory, "VmHWM:")?,
    };
    serve.stop().await?;
    Ok(crowd)
}

/// Waits for the next read to begin: when, the reads so far, the calls so far.
async fn whole(reads: &impl Fn() -> u64, tasks: &Tasks) -> anyhow::Result<(Instant, u64, u64)> {
    let (begun, before) = (Instant::now(), reads());
    while reads() == before {
        anyhow::ensure!(begun.elapsed() < PATIENCE, "AWS is not asked again: {}", tasks.log());
        sleep(POLL).await;
    }
    Ok((Instant::now(), reads(), tasks.fake.calls().total()))
}

fn fill(world: &mut World, size: usize) -> anyhow::Result<()> {
    world.pace = Pace::AtOnce;
    let mut address = u32::from(Ipv4Addr::new(10, 0, 0, 4));
    for family in 0..size.div_ceil(TASKS_OF_A_FAMILY) {
        let name = format!("family-{family}");
        let definition =
            ORDERS.replace("\"orders\"", &format!("\"{name}\"")).replace("orders.svc", &format!("{name}.svc"));
        world.register(&json(&definition)?)?;
        let desired = TASKS_OF_A_FAMILY.min(size - family * TASKS_OF_A_FAMILY);
        let addresses = (0..desired).map(|_| {
            address += 1;
            IpAddr::from(Ipv4Addr::from(address))
        });
        let service = NewService {
            cluster: CLUSTER.to_owned(),
            name: name.clone(),
            task_definition: name,
            desired,
            launch: None,
            addresses: addresses.collect(),
        };
        world.create_service(service).map_err(|failure: Failure| anyhow::anyhow!("{failure}"))?;
    }
    Ok(())
}

/// A line of what Linux says of a process, in megabytes.
fn memory_of(process: u32, line: &str) -> anyhow::Result<u64> {
    let path = format!("/proc/{process}/status");
    let status = std::fs::read_to_string(Path::new(&path))?;
    let kilobytes =
        status.lines().find_map(|found| found.strip_prefix(line)?.trim().split(' ').next()?.parse::<u64>().ok());
    Ok(kilobytes.context("Linux says it")? / 1024)
}
