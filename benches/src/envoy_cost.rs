//! What a filter costs inside real Envoy: CPU time of its process per request, in one run, round by round.
//!
//! One Envoy, one worker, a listener for each variant; a request is answered by the route table itself, so that what
//! differs is the filter. Rounds are interleaved and the least of each variant counts: noise only adds.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use local::process::{EnvoyRun, supervise};
use local::{Admin, Client, EnvoyBinary, Request, Subnet};
use serde_json::{Value, json};

/// The answer's CPU cost with one filter before it.
#[derive(Clone, Debug)]
pub struct Cost {
    pub variant: &'static str,
    /// Microseconds of CPU per request, least of all rounds.
    pub micros: f64,
}

/// Name, and the filter as Envoy's JSON; `None` is the plain chain.
type Variant = (&'static str, Option<Value>);

/// Runs `rounds` rounds of `requests` requests for every variant.
pub async fn measure(envoy: &EnvoyBinary, rounds: usize, requests: usize) -> anyhow::Result<Vec<Cost>> {
    let claim = Subnet::claim()?;
    let address = claim.subnet().addresses().next().context("the range has an address")?;
    let folder = tempfile::tempdir()?;
    let (ours, sdk) = (folder.path().join("module.wasm"), folder.path().join("sdk.wasm"));
    std::fs::write(&ours, artifacts::MODULE)?;
    std::fs::write(&sdk, guest_sdk::MODULE)?;
    let variants = variants(&ours, &sdk);
    let config = folder.path().join("envoy.json");
    std::fs::write(&config, serde_json::to_vec(&bootstrap(address, &variants))?)?;
    let (events, _) = tokio::sync::broadcast::channel(16);
    let run = EnvoyRun {
        name: "bench".to_owned(),
        binary: envoy.clone(),
        config,
        folder: folder.path().to_owned(),
        log: folder.path().join("envoy.log"),
        access_log: folder.path().join("access.log"),
        log_level: "warning".to_owned(),
        admin: Admin::new(SocketAddr::new(address.into(), ADMIN_PORT)),
        ready_within: Duration::from_secs(60),
    };
    let process = supervise(run, events).await?;
    let mut least: BTreeMap<usize, f64> = BTreeMap::new();
    for round in 0..=rounds {
        for index in 0..variants.len() {
            let pid = process.pid().context("Envoy runs")?;
            let before = cpu_micros(pid)?;
            send(SocketAddr::new(address.into(), port(index)), requests).await?;
            let micros = (cpu_micros(pid)? - before) / requests as f64;
            // The first round warms up connections, caches and V8.
            if round > 0 {
                let known = least.entry(index).or_insert(f64::INFINITY);
                *known = known.min(micros);
            }
        }
    }
    process.stop(Duration::from_secs(5)).await;
    let cost = |(index, (variant, _)): (usize, &Variant)| Cost {
        variant,
        micros: least.get(&index).copied().unwrap_or(f64::NAN),
    };
    Ok(variants.iter().enumerate().map(cost).collect())
}

const ADMIN_PORT: u16 = 9901;

fn port(index: usize) -> u16 {
    10_000 + u16::try_from(index).unwrap_or(0)
}

async fn send(address: SocketAddr, count: usize) -> anyhow::Result<()> {
    let mut client = Client::new(address);
    let request = Request::get("/").host("beta.svc").basic_auth("grace", "hopper").header("x-canary", "off");
    for _ in 0..count {
        let response = client.send(&request).await?;
        anyhow::ensure!(response.status == 200, "status {}: {}", response.status, response.text());
    }
    Ok(())
}

/// User and system time of a process (`proc(5)`: fields 14 and 15 of `stat`, in ticks), or, finer, of its scheduler
/// statistics: nanoseconds on the CPU, summed over its threads.
fn cpu_micros(pid: u32) -> anyhow::Result<f64> {
    let mut nanos = 0_u64;
    for task in std::fs::read_dir(format!("/proc/{pid}/task"))? {
        let statistics = std::fs::read_to_string(task?.path().join("schedstat"))?;
        let on_cpu = statistics.split_whitespace().next().context("schedstat has a first field")?;
        nanos += on_cpu.parse::<u64>()?;
    }
    Ok(nanos as f64 / 1000.0)
}

/// SHA-1 of `hopper`: the one format that Envoy's own filter reads.
const HASH: &str = "{SHA}zEOp7H70348xUgAhwoeLWFeqmUQ=";

fn variants(module: &Path, sdk: &Path) -> Vec<Variant> {
    let native_users = json!({ "inline_string": format!("grace:{HASH}\n") });
    let native = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.http.basic_auth.v3.BasicAuth",
        "users": native_users,
    });
    let native_fault = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault",
        "abort": { "http_status": 503, "percentage": { "numerator": 0 } },
    });
    let users = json!({ "rules": [{
        "hosts": [], "exempt_paths": [], "realm": "bench",
        "users": [{ "name": "grace", "hash": HASH }], "forward_user_header": null,
    }] });
    let fault = json!({ "rules": [{
        "hosts": ["beta.svc"], "exempt_paths": ["/healthz"], "delay": null,
        "abort": { "status": 503, "per_million": 0 },
    }] });
    let routing = json!({ "rules": [{
        "hosts": ["beta.svc"], "route": "canary.svc",
        "headers": [{ "name": "x-canary", "value": { "exact": "on" }, "invert": false }],
    }] });
    vec![
        ("no filter", None),
        ("no-op, wasm", Some(wasm(module, "no-op", "{}"))),
        ("no-op, wasm (proxy-wasm SDK)", Some(wasm(sdk, "sdk-no-op", ""))),
        ("basic-auth, Envoy's own", Some(native)),
        ("basic-auth, wasm", Some(wasm(module, policy::BASIC_AUTH_ROOT_ID, &users.to_string()))),
        ("fault (idle), Envoy's own", Some(native_fault)),
        ("fault (idle), wasm", Some(wasm(module, policy::FAULT_ROOT_ID, &fault.to_string()))),
        ("header-routing, wasm", Some(wasm(module, policy::HEADER_ROUTING_ROOT_ID, &routing.to_string()))),
    ]
}

fn wasm(module: &Path, root_id: &str, configuration: &str) -> Value {
    json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
        "config": {
            "name": root_id,
            "root_id": root_id,
            "failure_policy": "FAIL_RELOAD",
            "vm_config": {
                "vm_id": format!("meshwright-{}", artifacts::MODULE_SHA256),
                "runtime": "envoy.wasm.runtime.v8",
                "code": { "local": { "filename": module } },
            },
            "configuration": { "@type": "type.googleapis.com/google.protobuf.StringValue", "value": configuration },
        },
    })
}

fn bootstrap(address: Ipv4Addr, variants: &[Variant]) -> Value {
    let listeners: Vec<Value> = variants
        .iter()
        .enumerate()
        .map(|(index, (_, filter))| listener(address, port(index), filter.as_ref()))
        .collect();
    json!({
        "admin": { "address": { "socket_address": { "address": address, "port_value": ADMIN_PORT } } },
        "static_resources": { "listeners": listeners },
    })
}

fn listener(address: Ipv4Addr, port: u16, filter: Option<&Value>) -> Value {
    let router = json!({
        "name": "router",
        "typed_config": { "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router" },
    });
    let filters: Vec<Value> = filter
        .map(|config| json!({ "name": "measured", "typed_config": config }))
        .into_iter()
        .chain([router])
        .collect();
    json!({
        "name": format!("l{port}"),
        "address": { "socket_address": { "address": address, "port_value": port } },
        "filter_chains": [{ "filters": [{
            "name": "hcm",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
                "stat_prefix": "bench",
                "route_config": { "virtual_hosts": [{
                    "name": "all", "domains": ["*"],
                    "routes": [{ "match": { "prefix": "/" }, "direct_response": { "status": 200 } }],
                }] },
                "http_filters": filters,
            },
        }] }],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_variant_answers() {
        let envoy = local::find(None).unwrap_or_else(|error| panic!("{error}"));
        let costs = measure(&envoy, 1, 20).await.unwrap_or_else(|error| panic!("{error:#}"));
        assert!(costs.iter().all(|cost| cost.micros > 0.0), "{costs:?}");
    }
}
