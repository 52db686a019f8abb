//! What many proxies cost one control plane: memory, how soon all have a change, and how a storm of reconnects is served.
//!
//! ```text
//! cargo run --release -p meshwright-control-plane --example many_streams -- [STREAMS] [CLUSTERS] [CHANGES]
//! ```
//!
//! The clients are another process (this program again), half of them state of the world and half delta, each on a
//! connection of its own: they subscribe as an Envoy does and acknowledge at once.

use std::env;
use std::error::Error;
use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

mod clients;
mod measure;
mod mesh;

use measure::{Moments, row, share_of};

const PROXY: &str = "web";

fn main() -> Result<(), Box<dyn Error>> {
    meshwright_control_plane::limits::raise_open_files();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let args: Vec<String> = env::args().skip(1).collect();
    let number = |place: usize, default: usize| args.get(place).and_then(|arg| arg.parse().ok()).unwrap_or(default);
    if args.first().is_some_and(|first| first == "clients") {
        let address = args.get(1).ok_or("no address")?.parse()?;
        return runtime.block_on(clients::run(address, number(2, 1)));
    }
    runtime.block_on(serve(number(0, 2_000), number(1, 200), number(2, 10)))
}

async fn serve(streams: usize, clusters: usize, changes: usize) -> Result<(), Box<dyn Error>> {
    let mut server = mesh::Server::start(clusters).await?;
    println!("{:<44} {:>12}", "streams", streams);
    println!("{:<44} {:>12}", "clusters (each with endpoints), routes", clusters);
    println!("{:<44} {:>9} MB", "memory without streams", memory("VmRSS:")?);

    let began = Instant::now();
    let first = Clients::start(server.address, streams)?;
    let rate = server.until_settled(streams, began).await?;
    row("first connect: all have everything", began.elapsed());
    println!("{:<44} {rate:>10.0} /s", "first connect: most streams let in");
    println!("{:<44} {:>9} MB", "memory with all streams settled", memory("VmRSS:")?);

    for (name, everything) in [("one cluster", false), ("every cluster", true)] {
        let mut times = Moments::default();
        let busy = processor_time()?;
        for _ in 0..changes {
            server.change(everything);
            times.add(server.until_told(streams).await?);
        }
        row(&format!("{name} changed, until acknowledged: p50"), times.share(0.5));
        row(&format!("{name} changed, until acknowledged: p99"), times.share(0.99));
        row(&format!("{name} changed, until acknowledged: last"), times.share(1.0));
        let busy = processor_time()?.saturating_sub(busy);
        row(&format!("{name} changed: processor time"), busy.div_f64(changes.max(1) as f64));
    }
    println!("{:<44} {:>9} MB", "memory after the changes", memory("VmRSS:")?);

    drop(first);
    server.until_alone().await?;
    let refused = server.refused();
    let began = Instant::now();
    let second = Clients::start(server.address, streams)?;
    let rate = server.until_settled(streams, began).await?;
    row("reconnect storm: all are back", began.elapsed());
    println!("{:<44} {rate:>10.0} /s", "reconnect storm: most streams let in");
    println!(
        "{:<44} {:>9.1} %",
        "reconnect storm: refused, for each stream",
        share_of(server.refused() - refused, streams)
    );
    drop(second);
    println!("{:<44} {:>9} MB", "memory at most", memory("VmHWM:")?);
    Ok(())
}

/// The process of the clients. Dies with this value.
struct Clients(Child);

impl Clients {
    fn start(address: std::net::SocketAddr, streams: usize) -> Result<Self, Box<dyn Error>> {
        let mut command = Command::new(env::current_exe()?);
        command.args(["clients", &address.to_string(), &streams.to_string()]).stdin(Stdio::null());
        Ok(Self(command.spawn()?))
    }
}

impl Drop for Clients {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Of this process, that of its clients not among it: what a change costs however busy the machine is.
fn processor_time() -> Result<Duration, Box<dyn Error>> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let fields = stat.rsplit_once(')').ok_or("no such field")?.1;
    let ticks = fields.split_whitespace().skip(11).take(2).map(str::parse::<u64>).sum::<Result<u64, _>>()?;
    Ok(Duration::from_millis(ticks * 10))
}

/// Of this process, in megabytes.
fn memory(field: &str) -> Result<u64, Box<dyn Error>> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(field)).ok_or("no such field")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? / 1024)
}

const PATIENCE: Duration = Duration::from_secs(180);
