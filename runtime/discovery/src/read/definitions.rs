//! Task definitions: a revision never changes, so each is read once.

use std::collections::{BTreeMap, BTreeSet};

use compiler::observation::last;

use super::{Memory, Whole};
use crate::api::{Answer, Api, Fault};
use crate::calls::Calls;

/// A family that cannot be read holds up all others in so many reads; then they go on without it.
const PATIENCE: u32 = 3;
/// With more families than this, it is AWS that fails.
const FAMILIES: usize = 3;

pub(super) async fn read<A: Api>(api: &A, memory: &mut Memory, whole: &mut Whole, calls: &mut Calls<'_>) -> Answer<()> {
    let needed: BTreeSet<String> = whole.seen.values().map(|seen| seen.task.task_definition.clone()).collect();
    let mut failed: BTreeMap<String, Fault> = BTreeMap::new();
    for arn in &needed {
        let family = family(arn);
        if memory.definitions.contains_key(arn) || failed.contains_key(family) {
            continue;
        }
        match calls.make("DescribeTaskDefinition", || api.describe_task_definition(arn)).await {
            // Under the name by which it was asked for: tasks know it by that.
            Ok(definition) => drop(memory.definitions.insert(arn.clone(), definition)),
            Err(fault) if failed.len() >= FAMILIES => return Err(fault),
            Err(fault) => drop(failed.insert(family.to_owned(), fault)),
        }
    }
    let unread = std::mem::take(&mut memory.unread);
    memory.unread =
        failed.keys().map(|family| (family.clone(), unread.get(family).map_or(1, |reads| reads + 1))).collect();
    if let Some((family, fault)) = failed.iter().find(|(family, _)| memory.unread.get(*family) < Some(&PATIENCE)) {
        return Err(Fault { reason: format!("of `{family}`: {}", fault.reason), ..fault.clone() });
    }
    whole.unread = failed.into_keys().collect();
    whole.seen.retain(|_, seen| memory.definitions.contains_key(&seen.task.task_definition));
    let vanished = whole.vanished.iter().filter_map(|arn| memory.tasks.known.get(arn));
    let used = whole.seen.values().chain(vanished).map(|seen| &seen.task.task_definition);
    let used: BTreeSet<&String> = used.collect();
    let used = used.into_iter().filter_map(|arn| Some((arn.clone(), memory.definitions.get(arn)?.clone())));
    whole.definitions = used.collect();
    Ok(())
}

/// `orders` of `arn:…:task-definition/orders:7`.
fn family(arn: &str) -> &str {
    let name = last(arn);
    name.rsplit_once(':').map_or(name, |(family, _)| family)
}
