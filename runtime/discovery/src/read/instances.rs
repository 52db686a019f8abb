//! The hosts of tasks that have no interface of their own. A host's address does not change.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use compiler::observation::{ContainerInstance, NetworkMode, Task, last};
use tokio::time::Instant;

use super::memory::runs;
use super::{Memory, Whole, remembered};
use crate::api::{Addresses, Answer, Api, BATCH, Fault, Kind};
use crate::calls::Calls;

/// How long a host is believed.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// A running task whose host has no address holds up all others in so many reads; then they go on without it.
const PATIENCE: u32 = 3;

pub(super) async fn read<A: Api>(api: &A, memory: &mut Memory, whole: &mut Whole, calls: &mut Calls<'_>) -> Answer<()> {
    // By cluster: that is how they are asked for.
    let mut unknown: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let is_read = |task: &Task| whole.clusters.iter().any(|cluster| cluster.arn == task.cluster);
    for seen in whole.seen.values().chain(remembered(memory, whole)).filter(|seen| is_read(&seen.task)) {
        if let Some(host) = host(memory, &seen.task).filter(|host| !is_known(memory, host)) {
            unknown.entry(seen.task.cluster.clone()).or_default().insert(host.to_owned());
        }
    }
    let mut found: Vec<ContainerInstance> = Vec::new();
    for (cluster, arns) in unknown {
        let arns: Vec<String> = arns.into_iter().collect();
        for batch in arns.chunks(BATCH) {
            let call = || api.describe_container_instances(&cluster, batch);
            found.extend(calls.make("DescribeContainerInstances", call).await?);
        }
    }
    let mut addresses = addresses(api, &found, calls).await?;
    let now = Instant::now();
    for mut instance in found {
        let told = addresses.remove(&instance.ec2_instance_id).filter(|addresses| !addresses.is_empty());
        // A host that an answer lacks is where it was.
        let before = memory.instances.get(&instance.arn).map(|(before, _)| before);
        instance.addresses = told.or_else(|| Some(before?.addresses.clone())).unwrap_or_default();
        memory.instances.insert(instance.arn.clone(), (instance, now));
    }
    judge(memory, whole)?;
    let hosts = whole.seen.values().chain(remembered(memory, whole)).filter_map(|seen| host(memory, &seen.task));
    let known = hosts.filter_map(|host| Some((host.to_owned(), memory.instances.get(host)?.0.clone())));
    whole.instances = known.collect();
    Ok(())
}

/// Without the host of a running task the moment is not whole, for a while.
fn judge(memory: &mut Memory, whole: &mut Whole) -> Answer<()> {
    let running = whole.seen.values().map(|seen| &seen.task).filter(|task| runs(task));
    let homeless: BTreeSet<String> = running
        .filter_map(|task| host(memory, task))
        .filter(|host| memory.instances.get(*host).is_none_or(|(instance, _)| is_homeless(instance)))
        .map(str::to_owned)
        .collect();
    let before = std::mem::take(&mut memory.homeless);
    let count = |host: String| (before.get(&host).unwrap_or(&0) + 1, host);
    memory.homeless = homeless.into_iter().map(count).map(|(reads, host)| (host, reads)).collect();
    for (host, reads) in &memory.homeless {
        let line = format!("the host `{}` of a running task has no address", last(host));
        if *reads < PATIENCE {
            return Err(Fault::new(Kind::Unusable, "DescribeInstances", line));
        }
        whole.missing.insert(line);
    }
    Ok(())
}

/// Machines outside of EC2 (`mi-…`) have no address that AWS knows.
fn is_homeless(instance: &ContainerInstance) -> bool {
    instance.addresses.is_empty() && !instance.ec2_instance_id.starts_with("mi-")
}

async fn addresses<A: Api>(api: &A, hosts: &[ContainerInstance], calls: &mut Calls<'_>) -> Answer<Addresses> {
    // `mi-…` are machines outside of EC2.
    let ids: BTreeSet<String> =
        hosts.iter().map(|host| host.ec2_instance_id.clone()).filter(|id| id.starts_with("i-")).collect();
    let ids: Vec<String> = ids.into_iter().collect();
    let mut addresses = Addresses::new();
    for batch in ids.chunks(BATCH) {
        addresses.extend(calls.make("DescribeInstances", || api.describe_instances(batch)).await?);
    }
    Ok(addresses)
}

/// The container instance whose address is needed: of a task that is placed and never has an address of its own. A task that is
/// pending counts: its sidecar runs already, and is waited for.
fn host<'t>(memory: &Memory, task: &'t Task) -> Option<&'t str> {
    let mode = memory.definitions.get(&task.task_definition).map(|definition| definition.network_mode);
    let own = matches!(mode, Some(NetworkMode::Awsvpc | NetworkMode::None)) || !task.addresses.is_empty();
    task.container_instance.as_deref().filter(|_| !own)
}

fn is_known(memory: &Memory, arn: &str) -> bool {
    let known = memory.instances.get(arn);
    known.is_some_and(|(instance, read)| !instance.addresses.is_empty() && read.elapsed() < DAY)
}
