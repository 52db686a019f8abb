//! The hosts of tasks that have no interface of their own. A host's address does not change.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use compiler::observation::{ContainerInstance, Task};
use tokio::time::Instant;

use super::{Memory, Whole};
use crate::api::{Addresses, Answer, Api, BATCH};
use crate::calls::Calls;

/// How long a host is believed.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

pub(super) async fn read<A: Api>(api: &A, memory: &mut Memory, whole: &mut Whole, calls: &mut Calls<'_>) -> Answer<()> {
    // By cluster: that is how they are asked for.
    let mut unknown: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for seen in whole.seen.values() {
        if let Some(host) = host(&seen.task).filter(|host| !is_known(memory, host)) {
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
        instance.addresses = addresses.remove(&instance.ec2_instance_id).unwrap_or_default();
        memory.instances.insert(instance.arn.clone(), (instance, now));
    }
    let vanished = whole.vanished.iter().filter_map(|arn| memory.tasks.known.get(arn));
    let hosts = whole.seen.values().chain(vanished).filter_map(|seen| host(&seen.task));
    let known = hosts.filter_map(|host| Some((host.to_owned(), memory.instances.get(host)?.0.clone())));
    whole.instances = known.collect();
    Ok(())
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

/// The container instance whose address is needed: of a task that has been placed and has no address.
fn host(task: &Task) -> Option<&str> {
    let starting = ["PROVISIONING", "PENDING"].contains(&task.last_status.as_str());
    task.container_instance.as_deref().filter(|_| task.addresses.is_empty() && !starting)
}

fn is_known(memory: &Memory, arn: &str) -> bool {
    let known = memory.instances.get(arn);
    known.is_some_and(|(instance, read)| !instance.addresses.is_empty() && read.elapsed() < DAY)
}
