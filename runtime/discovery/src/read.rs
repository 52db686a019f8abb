//! One whole moment: every task of every cluster that is wanted, with all it needs, or nothing.

pub mod bounds;
mod cloud_map;
mod definitions;
mod instances;
mod lists;
pub mod memory;
mod tasks;

use std::collections::{BTreeMap, BTreeSet};

use compiler::import::ecs::Wants;
use compiler::observation::{CloudMapService, Cluster, ContainerInstance, TaskDefinition};

pub use memory::Memory;

use crate::api::{Answer, Api, Seen};
use crate::calls::Calls;

/// What a read found. Of what was known and is not wanted any more nothing is in it.
#[derive(Clone, Debug, Default)]
pub struct Whole {
    pub clusters: Vec<Cluster>,
    /// ARNs of clusters of known tasks that AWS does not list and does not know, where every cluster is wanted.
    pub lost: BTreeSet<String>,
    /// Tasks that are there, ending ones too, by ARN.
    pub seen: BTreeMap<String, Seen>,
    /// Tasks that have stopped: ECS said so.
    pub ended: BTreeMap<String, u64>,
    /// Tasks that were known, and that ECS does not list and does not know.
    pub vanished: BTreeSet<String>,
    /// Known tasks of clusters that were not read, while a cluster that is wanted is missing: they stay as they are.
    pub kept: BTreeSet<String>,
    /// Of the tasks that are seen, and of those that were known.
    pub definitions: BTreeMap<String, TaskDefinition>,
    pub instances: BTreeMap<String, ContainerInstance>,
    pub cloud_map: Vec<CloudMapService>,
    /// Services of Cloud Map that do not exist, by namespace and name: they stay as they were.
    pub absent: BTreeSet<(String, String)>,
    /// What is wanted and cannot be had, one line each: the others go on without it.
    pub missing: BTreeSet<String>,
    /// Families with a revision that could not be read for a while: tasks of that revision are left out.
    pub unread: BTreeSet<String>,
}

/// Reads everything; what is for ever (task definitions, hosts) is remembered even if the read fails.
pub(crate) async fn read<A: Api>(api: &A, wants: &Wants, memory: &mut Memory, calls: &mut Calls<'_>) -> Answer<Whole> {
    let mut whole = Whole::default();
    lists::clusters(api, wants, memory, &mut whole, calls).await?;
    tasks::read(api, wants, memory, &mut whole, calls).await?;
    definitions::read(api, memory, &mut whole, calls).await?;
    instances::read(api, memory, &mut whole, calls).await?;
    cloud_map::read(api, wants, &mut whole, calls).await?;
    Ok(whole)
}

/// Known tasks that were not seen, and may be published all the same.
fn remembered<'m>(memory: &'m Memory, whole: &Whole) -> impl Iterator<Item = &'m Seen> {
    whole.vanished.iter().chain(&whole.kept).filter_map(|arn| memory.tasks.known.get(arn))
}
