//! Task definitions: each revision is read once. Only its tags ever change, so one that says something is read again by turns.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use compiler::observation::{TaskDefinition, last};

use super::{Memory, Whole, remembered};
use crate::api::{Answer, Api, Fault, Kind};
use crate::calls::Calls;

/// A family that cannot be read holds up all others in so many reads; then they go on without it.
const PATIENCE: u32 = 3;
/// If more families than this begin to fail for reasons that pass, it is AWS that fails: no more are asked for.
const FAMILIES: usize = 3;

pub(super) async fn read<A: Api>(api: &A, memory: &mut Memory, whole: &mut Whole, calls: &mut Calls<'_>) -> Answer<()> {
    let needed: BTreeSet<String> = whole.seen.values().map(|seen| seen.task.task_definition.clone()).collect();
    let unknown: Vec<&String> = needed.iter().filter(|arn| !memory.definitions.contains_key(*arn)).collect();
    let failed = unread(api, memory, &unknown, calls).await?;
    let holds = |family: &String| memory.unread.get(family) < Some(&PATIENCE);
    // With none that can be read there are no others to go on.
    let none = !needed.is_empty() && needed.iter().all(|arn| !memory.definitions.contains_key(arn));
    if let Some((family, fault)) = failed.iter().find(|(family, _)| none || holds(family)) {
        return Err(Fault { reason: format!("of `{family}`: {}", fault.reason), ..fault.clone() });
    }
    // One call more, where none was made for what is new.
    if unknown.iter().all(|arn| !memory.definitions.contains_key(*arn)) {
        look_again(api, memory, &needed, calls).await;
    }
    whole.unread = failed.into_keys().collect();
    whole.seen.retain(|_, seen| memory.definitions.contains_key(&seen.task.task_definition));
    let used: BTreeSet<&String> =
        whole.seen.values().chain(remembered(memory, whole)).map(|seen| &seen.task.task_definition).collect();
    let used = used.into_iter().filter_map(|arn| Some((arn.clone(), memory.definitions.get(arn)?.clone())));
    whole.definitions = used.collect();
    Ok(())
}

/// Reads those that are not known. Families that cannot be read come back, and are counted, whatever becomes of this read.
async fn unread<A: Api>(
    api: &A,
    memory: &mut Memory,
    unknown: &[&String],
    calls: &mut Calls<'_>,
) -> Answer<BTreeMap<String, Fault>> {
    let mut failed: BTreeMap<String, Fault> = BTreeMap::new();
    let (mut beginning, mut stopped) = (0, None);
    for arn in unknown.iter().copied() {
        let family = family(arn);
        if failed.contains_key(family) {
            continue;
        }
        let before = memory.unread.get(family).copied().unwrap_or(0);
        let call = || api.describe_task_definition(arn);
        let answer = match before {
            0 => calls.make("DescribeTaskDefinition", call).await,
            _ => calls.once("DescribeTaskDefinition", call).await,
        };
        match answer {
            // Under the name by which it was asked for: tasks know it by that.
            Ok(definition) => drop(memory.definitions.insert(arn.clone(), definition)),
            // That says nothing of the family.
            Err(fault) if fault.kind == Kind::Credentials => return Err(fault),
            Err(fault) => {
                beginning += usize::from(fault.kind.passes() && before + 1 < PATIENCE);
                failed.insert(family.to_owned(), fault.clone());
                if beginning > FAMILIES {
                    stopped = Some(fault);
                    break;
                }
            }
        }
    }
    // What was not asked for any more is as it was.
    let asked = |family: &String| stopped.is_none() && !failed.contains_key(family);
    memory.unread.retain(|family, _| !asked(family));
    for family in failed.keys() {
        *memory.unread.entry(family.clone()).or_default() += 1;
    }
    stopped.map_or(Ok(failed), Err)
}

/// One call: the next in turn of those that say something. If it fails, what was known stays.
async fn look_again<A: Api>(api: &A, memory: &mut Memory, used: &BTreeSet<String>, calls: &mut Calls<'_>) {
    let speaks = |arn: &&String| memory.definitions.get(*arn).is_some_and(speaks);
    let after = memory.turn.as_ref().map_or(Bound::Unbounded, Bound::Excluded);
    let next = used.range::<String, _>((after, Bound::Unbounded)).find(speaks).or_else(|| used.iter().find(speaks));
    let Some(arn) = next else { return };
    match calls.once("DescribeTaskDefinition", || api.describe_task_definition(arn)).await {
        Ok(definition) => drop(memory.definitions.insert(arn.clone(), definition)),
        Err(fault) => tracing::debug!(%fault, arn, "whether its tags changed is not known"),
    }
    memory.turn = Some(arn.clone());
}

/// Whether it has any word that is read.
fn speaks(definition: &TaskDefinition) -> bool {
    let says = |words: &BTreeMap<String, String>| !words.is_empty();
    definition.refused.is_some()
        || says(&definition.tags)
        || definition.containers.iter().any(|container| says(&container.labels) || says(&container.environment))
}

/// `orders` of `arn:…:task-definition/orders:7`.
fn family(arn: &str) -> &str {
    let name = last(arn);
    name.rsplit_once(':').map_or(name, |(family, _)| family)
}
