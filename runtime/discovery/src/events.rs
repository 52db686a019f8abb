//! "ECS Task State Change" events applied to what is known of tasks: at least once, in any order, late.
//!
//! A pure function, and the only door for events: whoever reads a queue of them calls it, between reads. Versions decide, so
//! that events never make polling worse, and polling alone is enough.

use compiler::observation::{Container, NetworkBinding, Task};
use serde::Deserialize;
use thiserror::Error;

use crate::api::Seen;
use crate::read::memory::Tasks;

/// What came of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// It is news.
    Known,
    /// It is no news, or of something else than a task.
    Nothing,
}

/// It is no event of a task.
#[derive(Debug, Error)]
#[error("this is no event of ECS: {0}")]
pub struct Unreadable(#[from] serde_json::Error);

/// Applies one event, the JSON of EventBridge.
///
/// Tags are not in events, and what a start replaced is not whole there: a task of which nothing is known is not taken from
/// an event before ECS has described it once.
pub fn apply(tasks: &mut Tasks, event: &str) -> Result<Applied, Unreadable> {
    let event: Event = serde_json::from_str(event)?;
    if event.detail_type != "ECS Task State Change" {
        return Ok(Applied::Nothing);
    }
    let detail: Detail = serde_json::from_value(event.detail)?;
    let (known, arn) = (tasks.known.get(&detail.task_arn), detail.task_arn.clone());
    let Some(known) = known else { return Ok(unknown(tasks, &detail)) };
    if detail.version <= known.version {
        return Ok(Applied::Nothing);
    }
    let newest = tasks.newest(seen(detail, known));
    tasks.keep(arn, newest);
    Ok(Applied::Known)
}

/// Of a task that is not known only its end is news: an older answer must not bring it to life.
fn unknown(tasks: &mut Tasks, detail: &Detail) -> Applied {
    let news = tasks.ended.get(&detail.task_arn).is_none_or(|version| detail.version > *version);
    if detail.last_status != "STOPPED" || !news {
        return Applied::Nothing;
    }
    tasks.ended.insert(detail.task_arn.clone(), detail.version);
    Applied::Known
}

fn seen(detail: Detail, known: &Seen) -> Seen {
    let Detail { version, last_status, desired_status, health_status, containers, attachments, .. } = detail;
    let details = attachments.iter().filter(|it| it.kind == "eni" || it.kind == "ElasticNetworkInterface");
    let details = details
        .flat_map(|it| &it.details)
        .filter(|detail| ["privateIPv4Address", "privateIPv6Address", "IPv6Address"].contains(&detail.name.as_str()));
    let interfaces = containers.iter().flat_map(|it| &it.network_interfaces);
    let interfaces = interfaces.flat_map(|it| [&it.private_ipv4_address, &it.ipv6_address]).flatten();
    let texts = interfaces.chain(details.map(|detail| &detail.value)).map(String::as_str);
    let addresses = crate::api::aws::own_addresses(texts);
    let mut task = Task {
        last_status,
        desired_status,
        health_status: health_status.unwrap_or_else(|| known.task.health_status.clone()),
        started_at: known.task.started_at,
        addresses: if addresses.is_empty() { known.task.addresses.clone() } else { addresses },
        containers: containers.into_iter().map(container).collect(),
        retained: false,
        ..known.task.clone()
    };
    if task.containers.is_empty() {
        task.containers.clone_from(&known.task.containers);
    }
    Seen { task, version }
}

fn container(container: DetailContainer) -> Container {
    let binding = |binding: DetailBinding| NetworkBinding {
        container_port: binding.container_port,
        host_port: binding.host_port,
        bind_ip: binding.bind_ip,
        protocol: binding.protocol,
    };
    Container {
        name: container.name,
        last_status: container.last_status,
        health_status: container.health_status.unwrap_or_default(),
        network_bindings: container.network_bindings.into_iter().map(binding).collect(),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Event {
    #[serde(default)]
    detail_type: String,
    #[serde(default)]
    detail: serde_json::Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Detail {
    task_arn: String,
    version: u64,
    last_status: String,
    desired_status: String,
    #[serde(default)]
    health_status: Option<String>,
    #[serde(default)]
    containers: Vec<DetailContainer>,
    #[serde(default)]
    attachments: Vec<Attachment>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DetailContainer {
    name: String,
    #[serde(default)]
    last_status: String,
    #[serde(default)]
    health_status: Option<String>,
    #[serde(default)]
    network_bindings: Vec<DetailBinding>,
    #[serde(default)]
    network_interfaces: Vec<Interface>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DetailBinding {
    container_port: u16,
    host_port: u16,
    #[serde(default, rename = "bindIP")]
    bind_ip: String,
    #[serde(default)]
    protocol: String,
}

#[derive(Deserialize)]
struct Interface {
    #[serde(default, rename = "privateIpv4Address")]
    private_ipv4_address: Option<String>,
    #[serde(default, rename = "ipv6Address")]
    ipv6_address: Option<String>,
}

#[derive(Deserialize)]
struct Attachment {
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    details: Vec<Pair>,
}

#[derive(Deserialize)]
struct Pair {
    #[serde(default)]
    name: String,
    #[serde(default)]
    value: String,
}
