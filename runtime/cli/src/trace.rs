//! Who decided a request's fate: read from the access logs of the Envoys it passed, not assumed.

use std::time::Duration;

use serde_json::Value;

use crate::launch::Started;

/// An access log entry takes some milliseconds to be written.
const LOG_WITHIN: Duration = Duration::from_secs(15);

/// One Envoy's part in a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    pub instance: String,
    /// Envoy's `RESPONSE_CODE_DETAILS`: `via_upstream`, or which part of it answered.
    pub details: String,
    /// Where the request went on to, if it did.
    pub upstream: Option<String>,
}

/// The hops of the request that carried `user-agent: <marker>`, from the Envoy it entered by. Empty if no log says.
pub async fn hops(started: &Started, entrance: &str, marker: &str) -> Vec<Hop> {
    let mut hops = Vec::new();
    let mut next = Some(entrance.to_owned());
    while let Some(name) = next {
        let Ok(instance) = started.running.instance(&name) else { break };
        let earlier: Vec<&str> = hops.iter().map(|hop: &Hop| hop.instance.as_str()).collect();
        if earlier.contains(&name.as_str()) {
            break;
        }
        let Ok(entry) = instance.wait_for_log(|entry| entry["user_agent"] == marker, LOG_WITHIN).await else { break };
        let upstream = text(&entry, "upstream_host");
        next = upstream.as_deref().and_then(|address| sidecar_at(started, address));
        hops.push(Hop { instance: name, details: text(&entry, "response_code_details").unwrap_or_default(), upstream });
    }
    hops
}

/// The last hop in words: which filter or route of which Envoy answered, or which workload did.
pub fn decided_by(started: &Started, hops: &[Hop]) -> String {
    let Some(last) = hops.last() else { return "unknown: no access log names it".to_owned() };
    let by = match last.details.as_str() {
        "via_upstream" => match last.upstream.as_deref().and_then(|address| workload_at(started, address)) {
            Some(workload) => return workload,
            None => "an upstream outside this run",
        },
        "route_not_found" => "no route",
        details => details,
    };
    format!("{}: {by}", last.instance)
}

fn text(entry: &Value, key: &str) -> Option<String> {
    entry.get(key)?.as_str().map(str::to_owned)
}

fn sidecar_at(started: &Started, address: &str) -> Option<String> {
    let ingress = |address: std::net::IpAddr| std::net::SocketAddr::new(address, compiler::lower::INGRESS_PORT);
    let mut instances = started.placement.instances.iter();
    instances
        .find(|instance| ingress(instance.address).to_string() == address)
        .map(|instance| instance.name.to_string())
}

fn workload_at(started: &Started, address: &str) -> Option<String> {
    let workload = started.placement.workloads.iter().find(|workload| workload.listen.to_string() == address)?;
    let node = workload.node.as_ref().map_or_else(String::new, |node| format!(" on {node}"));
    Some(format!("workload {}{node}", workload.service))
}
