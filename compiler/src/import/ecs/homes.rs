//! Which node a task belongs to: one of the mesh, one of its own, or none.

use std::collections::{BTreeMap, BTreeSet};

use spec::mesh::Mesh;

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
    /// A node that stands for tasks like this one.
    Own,
}

/// The nodes of a mesh, by what leads to them.
pub(crate) struct Homes<'w> {
    by_name: BTreeMap<String, usize>,
    by_service: BTreeMap<String, Vec<usize>>,
    /// Names of gateways: their tasks are nobody's node.
    gateways: BTreeSet<String>,
    /// Clusters in which bent's labels are: there tasks have a sidecar that serve nothing, too.
    bents: BTreeSet<&'w str>,
}

impl<'w> Homes<'w> {
    pub(crate) fn of(mesh: &Mesh, told: &[(&'w Told<'w>, &Words)]) -> Self {
        let gateways = mesh.gateways.iter().map(|gateway| gateway.name.value.key()).collect();
        let (by_name, by_service, bents) = (BTreeMap::new(), BTreeMap::new(), BTreeSet::new());
        let mut homes = Self { by_name, by_service, gateways, bents };
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

    /// The node of the mesh that a label names, or that is called like the family or the ECS service.
    pub(crate) fn said(&self, task: &RunningTask<'_>, words: &Words) -> Option<usize> {
        let label = words.node.as_ref().map(|node| node.value.key());
        let family = task.definition.family.to_ascii_lowercase();
        let service = task.task.service().map(str::to_ascii_lowercase);
        let names = label.into_iter().chain([family]).chain(service);
        names.filter_map(|name| self.by_name.get(&name).copied()).next()
    }

    /// The only node of the mesh that serves a service.
    pub(crate) fn only(&self, service: &str) -> Option<usize> {
        match self.by_service.get(service).map(Vec::as_slice) {
            Some([only]) => Some(*only),
            _ => None,
        }
    }

    /// Once it is known what the task serves, by key.
    pub(crate) fn settle(&self, said: Option<usize>, task: &RunningTask<'_>, words: &Words, served: &[String]) -> Home {
        if let Some(node) = said.or_else(|| served.iter().find_map(|service| self.only(service))) {
            return Home::Mesh(node);
        }
        // A task that serves nothing may well call others.
        let is_client = || served.is_empty() && self.has_bents(task) && !self.is_gateway(task);
        let presumed = || words.of_bent || words.node.is_some() || words.calls.is_some() || is_client();
        match task.sidecar_said().unwrap_or_else(presumed) {
            true => Home::Own,
            false => Home::None,
        }
    }

    /// Whether it is called like a gateway of the mesh, by its family or its ECS service.
    fn is_gateway(&self, task: &RunningTask<'_>) -> bool {
        let names = [Some(task.definition.family.as_str()), task.task.service()];
        names.into_iter().flatten().any(|name| self.gateways.contains(&name.to_ascii_lowercase()))
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
