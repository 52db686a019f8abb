//! Which node or gateway a task belongs to: one of the mesh, one of its own, or none.

use std::collections::{BTreeMap, BTreeSet};

use spec::Name;
use spec::mesh::{Mesh, Node};

use super::owners::{Right, right};
use super::places;
use super::told::Told;
use super::words::Words;
use super::world::RunningTask;

/// Where the sidecar of a task has its configuration from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Home {
    /// There is no sidecar, as far as anybody says.
    None,
    /// A node of the mesh, by its place.
    Mesh(usize),
    /// A gateway of the mesh, by its place.
    Gateway(usize),
    /// A node that stands for tasks like this one.
    Own,
}

/// The nodes and gateways of a mesh, by what leads to them.
pub(crate) struct Homes<'w> {
    mesh: &'w Mesh,
    by_name: BTreeMap<String, usize>,
    by_service: BTreeMap<String, Vec<usize>>,
    gateways: BTreeMap<String, usize>,
    /// Clusters in which bent's labels are: there tasks have a sidecar that serve nothing, too.
    bents: BTreeSet<&'w str>,
}

impl<'w> Homes<'w> {
    pub(crate) fn of(mesh: &'w Mesh, told: &[(&'w Told<'w>, &Words)]) -> Self {
        let gateways =
            mesh.gateways.iter().enumerate().map(|(index, gateway)| (gateway.name.value.key(), index)).collect();
        let (by_name, by_service, bents) = (BTreeMap::new(), BTreeMap::new(), BTreeSet::new());
        let mut homes = Self { mesh, by_name, by_service, gateways, bents };
        for (index, node) in mesh.nodes.iter().enumerate() {
            homes.by_name.entry(node.name.value.key()).or_insert(index);
            for serve in &node.serves {
                homes.by_service.entry(serve.service.value.key()).or_default().push(index);
            }
        }
        let of_bent = told.iter().filter(|(_, words)| words.of_bent);
        homes.bents = of_bent.map(|(told, _)| told.task.task.cluster.as_str()).collect();
        homes
    }

    /// What the mesh has that a label names, and nodes that are called like the family or the ECS service.
    pub(crate) fn said(&self, task: &RunningTask<'_>, words: &Words) -> Vec<Home> {
        let label = words.node.as_ref().map(|node| node.value.key());
        let node = |name: &String| self.by_name.get(name).copied().map(Home::Mesh);
        let labelled =
            label.iter().filter_map(|name| node(name).or(self.gateways.get(name).copied().map(Home::Gateway)));
        let called = called(task).filter_map(|name| node(&name));
        labelled.chain(called).collect()
    }

    /// The gateway that is called like the family or the ECS service.
    pub(crate) fn gateway(&self, task: &RunningTask<'_>) -> Option<Home> {
        called(task).find_map(|name| self.gateways.get(&name).copied()).map(Home::Gateway)
    }

    /// A service of a node of the mesh of which the task may not speak.
    pub(crate) fn denied(&self, node: usize, task: &RunningTask<'_>) -> Option<&'w Name> {
        denied(self.mesh, self.mesh.nodes.get(node)?, task)
    }

    /// The only node of the mesh that serves a service.
    pub(crate) fn only(&self, service: &str) -> Option<usize> {
        match self.by_service.get(service).map(Vec::as_slice) {
            Some([only]) => Some(*only),
            _ => None,
        }
    }

    /// Of a task that belongs to nothing in the mesh.
    pub(crate) fn settle(&self, task: &RunningTask<'_>, words: &Words, serves: bool) -> Home {
        // A task that serves nothing may well call others.
        let is_client = || !serves && self.has_bents(task);
        let presumed = || words.of_bent || words.node.is_some() || words.calls.is_some() || is_client();
        match task.sidecar_said().unwrap_or_else(presumed) {
            true => Home::Own,
            false => Home::None,
        }
    }

    /// Whether a node of the mesh serves a service.
    pub(crate) fn is_served(&self, service: &str) -> bool {
        self.by_service.contains_key(service)
    }

    /// Whether it runs among tasks of bent's users.
    pub(crate) fn has_bents(&self, task: &RunningTask<'_>) -> bool {
        self.bents.contains(task.task.cluster.as_str())
    }
}

/// Its family and its ECS service.
fn called(task: &RunningTask<'_>) -> impl Iterator<Item = String> {
    let names = [Some(task.definition.family.as_str()), task.task.service()];
    names.into_iter().flatten().map(str::to_ascii_lowercase).collect::<Vec<_>>().into_iter()
}

/// A service that a node serves and of which a task may not speak: whoever belongs to the node would.
pub(crate) fn denied<'m>(mesh: &'m Mesh, node: &'m Node, task: &RunningTask<'_>) -> Option<&'m Name> {
    let rules = mesh.ecs.as_ref();
    let usual = places::usual_cluster(rules);
    let is_meant = |name: &Name| {
        let mut said = mesh.services.iter().filter(|it| it.name.value.key() == name.key());
        said.any(|it| it.ecs.as_ref().is_some_and(|ecs| places::is_meant(ecs, usual, task)))
    };
    let mut names = node.serves.iter().map(|serve| &serve.service.value);
    names.find(|name| right(rules, name, task) == Right::Denied && !is_meant(name))
}
