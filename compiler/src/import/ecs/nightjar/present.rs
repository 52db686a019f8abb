//! Every task whose words count: those that get requests, and those that start or end, whose Envoys want a configuration
//! and whose paths stay theirs.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

use spec::mesh::Vocabulary;
use spec::{Name, Span};

use super::Input;
use crate::import::ecs::told;
use crate::import::ecs::world::RunningTask;
use crate::observation::{NetworkMode, Task, TaskDefinition};

#[derive(Clone, Debug)]
pub(super) struct Present<'o> {
    pub(super) task: &'o Task,
    pub(super) definition: &'o TaskDefinition,
    pub(super) span: Span,
    pub(super) definition_span: Span,
    /// The name of its cluster.
    pub(super) cluster: &'o str,
    /// Where it is reached.
    pub(super) seen: &'o RunningTask<'o>,
    /// It may get requests.
    pub(super) is_routable: bool,
    /// It runs on this machine, with an address of its own.
    pub(super) here: bool,
}

/// In the order of their ARNs; none where the mesh says that nightjar's words do not count.
pub(super) fn present<'o>(input: &Input<'o>, vocabulary: Vocabulary) -> Vec<Present<'o>> {
    let read: BTreeSet<Vocabulary> = told::vocabularies(input.spec.ecs.as_ref());
    if !read.contains(&vocabulary) {
        return Vec::new();
    }
    let world = input.world;
    let routable = world.tasks.iter().map(|seen| (seen, true));
    let all = routable.chain(world.others.iter().map(|seen| (seen, false)));
    let heard = all.filter(|(seen, _)| !input.left_out.has(seen.span) && !input.left_out.has(seen.definition_span));
    let mut present: Vec<Present<'o>> = heard
        .map(|(seen, is_routable)| Present {
            task: seen.task,
            definition: seen.definition,
            span: seen.span,
            definition_span: seen.definition_span,
            cluster: seen.cluster,
            seen,
            is_routable,
            here: input.options.tasks_here,
        })
        .collect();
    present.sort_by(|one, other| one.task.arn.cmp(&other.task.arn));
    present
}

impl<'o> Present<'o> {
    /// Where it is reached, if it may get requests.
    pub(super) fn routable(&self) -> Option<&'o RunningTask<'o>> {
        self.is_routable.then_some(self.seen)
    }

    /// `FAMILY/REVISION`, which all tasks of the definition share; `FAMILY/REVISION/TASK` where each is configured on its own.
    pub(super) fn node(&self, alone: bool) -> Option<Name> {
        let TaskDefinition { family, revision, .. } = self.definition;
        match alone {
            true => Name::new(&format!("{family}/{revision}/{}", self.task.id())),
            false => Name::new(&format!("{family}/{revision}")),
        }
    }

    /// Its sidecar's containers find the application at an address of the host's that no other task has.
    pub(super) fn is_served_alone(&self) -> bool {
        self.is_bridged() && self.seen.ingress.is_some()
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
        self.here.then_some(self.seen.address)
    }

    /// Where listeners for its own containers bind. Containers of a bridge reach each other by addresses, all others by
    /// loopback.
    pub(super) fn inside(&self) -> Option<IpAddr> {
        self.bind().or_else(|| self.is_bridged().then_some(IpAddr::V4(Ipv4Addr::UNSPECIFIED)))
    }
}
