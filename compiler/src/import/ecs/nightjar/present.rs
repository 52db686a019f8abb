//! Every task whose words count: those that get requests, and those that start or end, whose Envoys want a configuration
//! and whose paths stay theirs.

use std::collections::BTreeMap;
use std::net::IpAddr;

use spec::{Name, Span, Spanned};

use super::Input;
use crate::import::ecs::world::RunningTask;
use crate::observation::{self, NetworkMode, Task, TaskDefinition};

#[derive(Clone, Debug)]
pub(super) struct Present<'o> {
    pub(super) task: &'o Task,
    pub(super) definition: &'o TaskDefinition,
    pub(super) span: Span,
    pub(super) definition_span: Span,
    /// The name of its cluster.
    pub(super) cluster: &'o str,
    /// Where it is reached, if it may get requests.
    pub(super) running: Option<RunningTask<'o>>,
    /// It runs on this machine, with an address of its own.
    pub(super) here: bool,
}

/// In the order of their ARNs.
pub(super) fn present<'o>(input: &Input<'_, 'o>) -> Vec<Present<'o>> {
    let observed = input.observed;
    let definitions: BTreeMap<&str, &Spanned<TaskDefinition>> =
        observed.task_definitions.iter().map(|it| (it.value.arn.as_str(), it)).collect();
    let clusters: BTreeMap<&str, &str> =
        observed.clusters.iter().map(|it| (it.value.arn.as_str(), it.value.name.as_str())).collect();
    let running: BTreeMap<&str, &RunningTask<'o>> =
        input.world.tasks.iter().map(|it| (it.task.arn.as_str(), it)).collect();
    let mut present = BTreeMap::new();
    for record in &observed.tasks {
        let task = &record.value;
        let Some(definition) = definitions.get(task.task_definition.as_str()) else { continue };
        let ended = task.last_status == "STOPPED" || definition.value.refused.is_some();
        if ended || (input.left_out)(task, &definition.value) {
            continue;
        }
        let running = running.get(task.arn.as_str()).map(|running| (*running).clone());
        // Of two records of one task, the one that runs counts.
        let span = running.as_ref().map_or(record.span, |running| running.span);
        present.entry(task.arn.as_str()).or_insert(Present {
            task: running.as_ref().map_or(task, |running| running.task),
            definition: &definition.value,
            span,
            definition_span: definition.span,
            cluster: clusters.get(task.cluster.as_str()).copied().unwrap_or_else(|| observation::last(&task.cluster)),
            running,
            here: input.tasks_here,
        });
    }
    present.into_values().collect()
}

impl Present<'_> {
    /// `FAMILY/REVISION`, which all tasks of the definition share; `FAMILY/REVISION/TASK` where each is configured on its own.
    pub(super) fn node(&self, alone: bool) -> Option<Name> {
        let TaskDefinition { family, revision, .. } = self.definition;
        match alone {
            true => Name::new(&format!("{family}/{revision}/{}", self.task.id())),
            false => Name::new(&format!("{family}/{revision}")),
        }
    }

    /// What its Envoy asks as: `CLUSTER/TASK`.
    pub(super) fn asks_as(&self) -> String {
        format!("{}/{}", self.cluster, self.task.id())
    }

    pub(super) fn is_bridged(&self) -> bool {
        self.definition.network_mode == NetworkMode::Bridge
    }

    /// Its address, where this machine has it.
    pub(super) fn bind(&self) -> Option<IpAddr> {
        self.running.as_ref().map(|it| it.address).or(self.task.addresses.first().copied()).filter(|_| self.here)
    }

    /// Where listeners for its own containers bind. Containers of a bridge reach each other by addresses, all others by
    /// loopback.
    pub(super) fn inside(&self) -> Option<IpAddr> {
        const ANY: IpAddr = IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED);
        self.bind().or_else(|| self.is_bridged().then_some(ANY))
    }
}
