//! Tasks: those that are listed, and those that were known and are not listed any more, so that stopping is seen.

use std::collections::BTreeSet;

use super::{Memory, Whole, lists};
use crate::api::{Answer, Api, BATCH, Described, Fault, Kind};
use crate::calls::Calls;
use crate::read::memory::Newest;

pub(super) async fn read<A: Api>(api: &A, memory: &Memory, whole: &mut Whole, calls: &mut Calls<'_>) -> Answer<()> {
    for cluster in whole.clusters.clone() {
        let listed = lists::tasks(api, &cluster.arn, calls).await?;
        let known = memory.tasks.known.values().filter(|known| known.task.cluster == cluster.arn);
        let mut asked = listed.clone();
        asked.extend(known.map(|known| known.task.arn.clone()));
        let asked: Vec<String> = asked.into_iter().collect();
        for batch in asked.chunks(BATCH) {
            let call = || async { complete(batch, api.describe_tasks(&cluster.arn, batch).await?) };
            take(calls.make("DescribeTasks", call).await?, memory, whole);
            calls.tasks(whole.seen.len());
        }
    }
    Ok(())
}

/// Each task that was asked for is described or missing: anything else is a part of an answer.
fn complete(asked: &[String], described: Described) -> Answer<Described> {
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
