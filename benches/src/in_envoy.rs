//! A real Envoy with one listener for each variant of a filter chain.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use local::echo::{self, Echo, Identity, Tries};
use local::process::{EnvoyRun, Supervised, supervise};
use local::subnet::Claim;
use local::{Admin, Client, EnvoyBinary, Request, Subnet};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A chain of filters before the answer.
#[derive(Clone, Debug)]
pub struct Variant {
    pub name: &'static str,
    /// Envoy's typed configurations, in order; without the router.
    pub filters: Vec<Value>,
    /// What each request carries beside `Host`.
    pub request: Request,
}

/// What answers a request that passes the filters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The route table itself.
    Direct,
    /// A server behind a cluster.
    Upstream,
}

/// A running Envoy.
pub struct World {
    process: Option<Supervised>,
    address: Ipv4Addr,
    _echo: Echo,
    _folder: TempDir,
    _claim: Claim,
}

/// The host that every request is for.
pub const HOST: &str = "beta.svc";

const ADMIN_PORT: u16 = 9901;
const OURS: &str = "meshwright.wasm";
const SDK: &str = "sdk.wasm";

impl World {
    pub async fn start(
        envoy: &EnvoyBinary,
        variants: &[Variant],
        answer: Answer,
        workers: u32,
    ) -> anyhow::Result<World> {
        let claim = Subnet::claim()?;
        let address = claim.subnet().addresses().next().context("the range has an address")?;
        let folder = tempfile::tempdir()?;
        std::fs::write(folder.path().join(OURS), artifacts::MODULE)?;
        std::fs::write(folder.path().join(SDK), guest_sdk::MODULE)?;
        let listener = tokio::net::TcpListener::bind((address, 0)).await?;
        let identity = Identity { node: None, service: "echo".to_owned(), endpoint: "echo".to_owned() };
        let echo = echo::serve(listener, identity, Tries::default())?;
        let config = folder.path().join("envoy.json");
        let bootstrap = bootstrap(address, variants, answer, echo.address());
        std::fs::write(&config, serde_json::to_vec(&bootstrap)?)?;
        let (events, _) = tokio::sync::broadcast::channel(16);
        let run = EnvoyRun {
            name: "bench".to_owned(),
            binary: envoy.clone(),
            config,
            folder: folder.path().to_owned(),
            log: folder.path().join("envoy.log"),
            access_log: folder.path().join("access.log"),
            log_level: "warning".to_owned(),
            workers,
            admin: Admin::new(SocketAddr::new(address.into(), ADMIN_PORT)),
            ready_within: Duration::from_secs(60),
        };
        let process = Some(supervise(run, events).await?);
        Ok(World { process, address, _echo: echo, _folder: folder, _claim: claim })
    }

    /// A connection to the listener of a variant, by its place.
    pub fn client(&self, variant: usize) -> Client {
        Client::new(SocketAddr::new(self.address.into(), port(variant)))
    }

    /// Microseconds that Envoy's threads were on a CPU, finer than `proc(5)`'s ticks: its scheduler statistics.
    pub fn cpu_micros(&self) -> anyhow::Result<f64> {
        let mut nanos = 0_u64;
        for task in std::fs::read_dir(self.proc()?.join("task"))? {
            let statistics = std::fs::read_to_string(task?.path().join("schedstat"))?;
            let on_cpu = statistics.split_whitespace().next().context("schedstat has a first field")?;
            nanos += on_cpu.parse::<u64>()?;
        }
        Ok(nanos as f64 / 1000.0)
    }

    /// Kilobytes of memory that Envoy has resident.
    pub fn resident_kilobytes(&self) -> anyhow::Result<u64> {
        let status = std::fs::read_to_string(self.proc()?.join("status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("there is a VmRSS")?;
        Ok(line.trim().trim_end_matches(" kB").parse()?)
    }

    pub async fn stop(mut self) {
        if let Some(process) = self.process.take() {
            process.stop(Duration::from_secs(5)).await;
        }
    }

    fn proc(&self) -> anyhow::Result<std::path::PathBuf> {
        let pid = self.process.as_ref().and_then(Supervised::pid).context("Envoy runs")?;
        Ok(Path::new("/proc").join(pid.to_string()))
    }
}

/// One of our filters.
pub fn ours(root_id: &str, configuration: &Value) -> Value {
    wasm(OURS, root_id, &configuration.to_string())
}

/// A filter that the proxy-wasm library was used for.
pub fn sdk(root_id: &str) -> Value {
    wasm(SDK, root_id, "")
}

fn wasm(module: &str, root_id: &str, configuration: &str) -> Value {
    json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
        "config": {
            "name": root_id,
            "root_id": root_id,
            "failure_policy": "FAIL_RELOAD",
            "vm_config": {
                "vm_id": module,
                "runtime": "envoy.wasm.runtime.v8",
                // Envoy runs in the folder.
                "code": { "local": { "filename": module } },
            },
            "configuration": { "@type": "type.googleapis.com/google.protobuf.StringValue", "value": configuration },
        },
    })
}

fn port(variant: usize) -> u16 {
    10_000 + u16::try_from(variant).unwrap_or(0)
}

fn bootstrap(address: Ipv4Addr, variants: &[Variant], answer: Answer, upstream: SocketAddr) -> Value {
    let listeners: Vec<Value> = variants
        .iter()
        .enumerate()
        .map(|(index, variant)| listener(address, port(index), &variant.filters, answer))
        .collect();
    json!({
        "admin": { "address": socket(SocketAddr::new(address.into(), ADMIN_PORT)) },
        "static_resources": {
            "listeners": listeners,
            "clusters": [{
                "name": "echo",
                "load_assignment": {
                    "cluster_name": "echo",
                    "endpoints": [{ "lb_endpoints": [{ "endpoint": { "address": socket(upstream) } }] }],
                },
            }],
        },
    })
}

fn socket(address: SocketAddr) -> Value {
    json!({ "socket_address": { "address": address.ip(), "port_value": address.port() } })
}

fn listener(address: Ipv4Addr, port: u16, filters: &[Value], answer: Answer) -> Value {
    let router = json!({ "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router" });
    let filters: Vec<Value> = filters
        .iter()
        .chain([&router])
        .enumerate()
        .map(|(index, config)| json!({ "name": format!("filter{index}"), "typed_config": config }))
        .collect();
    let route = match answer {
        Answer::Direct => json!({ "match": { "prefix": "/" }, "direct_response": { "status": 200 } }),
        Answer::Upstream => json!({ "match": { "prefix": "/" }, "route": { "cluster": "echo" } }),
    };
    json!({
        "name": format!("l{port}"),
        "address": socket(SocketAddr::new(address.into(), port)),
        "filter_chains": [{ "filters": [{
            "name": "hcm",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
                "stat_prefix": "bench",
                "route_config": { "virtual_hosts": [{ "name": "all", "domains": ["*"], "routes": [route] }] },
                "http_filters": filters,
            },
        }] }],
    })
}
