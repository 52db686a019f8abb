//! One whole moment: every task of every cluster that is wanted, with all it needs, or nothing.

pub mod bounds;
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
    /// Tasks that are there, ending ones too, by ARN.
    pub seen: BTreeMap<String, Seen>,
    /// Tasks that have stopped: ECS said so.
    pub ended: BTreeMap<String, u64>,
    /// Tasks that were known, and that ECS does not list and does not know.
    pub vanished: BTreeSet<String>,
    /// Of the tasks that are seen, and of those that were known.
    pub definitions: BTreeMap<String, TaskDefinition>,
    pub instances: BTreeMap<String, ContainerInstance>,
    pub cloud_map: Vec<CloudMapService>,
    /// Families with a revision that could not be read for a while: tasks of that revision are left out.
    pub unread: BTreeSet<String>,
}

/// Reads everything; what is for ever (task definitions, hosts) is remembered even if the read fails.
pub(crate) async fn read<A: Api>(api: &A, wants: &Wants, memory: &mut Memory, calls: &mut Calls<'_>) -> Answer<Whole> {
    let mut whole = Whole { clusters: lists::clusters(api, wants, memory, calls).await?, ..Whole::default() };
    tasks::read(api, memory, &mut whole, calls).await?;
    definitions::read(api, memory, &mut whole, calls).await?;
    instances::read(api, memory, &mut whole, calls).await?;
    for (namespace, service) in &wants.cloud_map {
        let call = || api.discover_instances(namespace, service);
        let instances = calls.make("DiscoverInstances", call).await?;
        let (namespace, service) = (namespace.clone(), service.clone());
        whole.cloud_map.push(CloudMapService { namespace, service, instances });
    }
    Ok(whole)
}
