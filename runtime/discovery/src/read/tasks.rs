//! Tasks: those that are listed, and those that were known and are not listed any more, so that stopping is seen.

use std::collections::BTreeSet;

use compiler::import::ecs::Wants;
use compiler::observation::{Cluster, last};

use super::{Memory, Whole, lists};
use crate::api::{Answer, Api, BATCH, Described, Fault, Kind};
use crate::calls::Calls;
use crate::read::memory::Newest;

pub(super) async fn read<A: Api>(
    api: &A,
    wants: &Wants,
    memory: &mut Memory,
    whole: &mut Whole,
    calls: &mut Calls<'_>,
) -> Answer<()> {
    for cluster in whole.clusters.clone() {
        match of_cluster(api, &cluster, memory, whole, calls).await {
            Err(fault) if fault.kind == Kind::Missing => {
                // Deleted, or an answer that is wrong: its name is asked for again.
                memory.clusters.retain(|_, known| known.arn != cluster.arn);
                whole.clusters.retain(|it| it.arn != cluster.arn);
                match wants.clusters.contains("*") {
                    true => drop(whole.lost.insert(cluster.arn)),
                    false => drop(whole.missing.insert(lists::no_cluster(&cluster.name))),
                }
            }
            answer => answer?,
        }
    }
    let is_read = |arn: &str| whole.clusters.iter().any(|cluster| cluster.arn == arn);
    for (arn, known) in memory.tasks.known.iter().filter(|(_, known)| !is_read(&known.task.cluster)) {
        match () {
            () if whole.seen.contains_key(arn) || whole.ended.contains_key(arn) => {}
            () if whole.lost.contains(&known.task.cluster) => drop(whole.vanished.insert(arn.clone())),
            // Nobody knows whether the cluster that is missing is the one of this task, by a name that is wrong.
            () if !whole.missing.is_empty() => drop(whole.kept.insert(arn.clone())),
            () => {}
        }
    }
    Ok(())
}

async fn of_cluster<A: Api>(
    api: &A,
    cluster: &Cluster,
    memory: &Memory,
    whole: &mut Whole,
    calls: &mut Calls<'_>,
) -> Answer<()> {
    let mut asked = lists::tasks(api, &cluster.arn, calls).await?;
    let known = memory.tasks.known.values().filter(|known| known.task.cluster == cluster.arn);
    asked.extend(known.map(|known| known.task.arn.clone()));
    let asked: Vec<String> = asked.into_iter().collect();
    for batch in asked.chunks(BATCH) {
        let call = || async { complete(batch, api.describe_tasks(&cluster.arn, batch).await?) };
        take(calls.make("DescribeTasks", call).await?, memory, whole);
        calls.tasks(whole.seen.len());
    }
    Ok(())
}

/// Each task that was asked for is described or missing: anything else is a part of an answer.
fn complete(asked: &[String], mut described: Described) -> Answer<Described> {
    for missing in &mut described.missing {
        if let Some(ours) = asked.iter().find(|ours| is_same(ours, missing)) {
            missing.clone_from(ours);
        }
    }
    let tasks = described.tasks.iter().map(|seen| &seen.task.arn);
    let told: BTreeSet<&String> = tasks.chain(&described.missing).collect();
    let untold = asked.iter().filter(|arn| !told.contains(arn)).count();
    match untold {
        0 => Ok(described),
        _ => Err(Fault::new(
            Kind::Unusable,
            "DescribeTasks",
            format_args!("the answer lacks {untold} of {} tasks", asked.len()),
        )),
    }
}

/// ECS may write the ARN of what it does not know in another way than it was asked: with the cluster or without it.
fn is_same(ours: &str, told: &str) -> bool {
    let cluster = |arn: &str| arn.split_once(":task/").and_then(|(_, rest)| Some(rest.rsplit_once('/')?.0.to_owned()));
    let (of_ours, of_told) = (cluster(ours), cluster(told));
    last(ours) == last(told) && (of_ours == of_told || of_ours.is_none() || of_told.is_none())
}

fn take(described: Described, memory: &Memory, whole: &mut Whole) {
    for seen in described.tasks {
        let arn = seen.task.arn.clone();
        match memory.tasks.newest(seen) {
            Newest::Runs(seen) => drop(whole.seen.insert(arn, *seen)),
            Newest::Ended(version) => drop(whole.ended.insert(arn, version)),
        }
    }
    // A task that is listed and not known yet is of no use before it is described.
    let known = |arn: &String| memory.tasks.known.contains_key(arn);
    let vanished = described.missing.into_iter().filter(known);
    whole.vanished.extend(vanished.filter(|arn| !whole.seen.contains_key(arn) && !whole.ended.contains_key(arn)));
}
