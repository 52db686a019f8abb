//! Which node serves which service, found without walking the mesh again.

use std::collections::BTreeMap;

use spec::mesh::{Endpoint, Mesh};
use spec::{Name, Spanned};

/// An index of a mesh by name; names that differ in case are the same.
pub(crate) struct Serving {
    /// The first service of each name.
    services: BTreeMap<String, usize>,
    /// By service, then by node.
    serves: BTreeMap<String, BTreeMap<String, Position>>,
}

/// One service of one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position {
    pub(crate) node: usize,
    pub(crate) serve: usize,
}

impl Serving {
    pub(crate) fn of(mesh: &Mesh) -> Self {
        let mut index = Self { services: BTreeMap::new(), serves: BTreeMap::new() };
        for (position, service) in mesh.services.iter().enumerate() {
            index.services.entry(service.name.value.key()).or_insert(position);
        }
        for (node_index, node) in mesh.nodes.iter().enumerate() {
            for (serve_index, serve) in node.serves.iter().enumerate() {
                let nodes = index.serves.entry(serve.service.value.key()).or_default();
                let position = Position { node: node_index, serve: serve_index };
                nodes.entry(node.name.value.key()).or_insert(position);
            }
        }
        index
    }

    pub(crate) fn service(&self, name: &Name) -> Option<usize> {
        self.services.get(&name.key()).copied()
    }

    /// Where the endpoint of a service is served: on the node it names, else on the only one that serves the service.
    pub(crate) fn endpoint(&self, service: &Spanned<Name>, endpoint: &Endpoint) -> Option<Position> {
        let nodes = self.serves.get(&service.value.key())?;
        match &endpoint.node {
            Some(node) => nodes.get(&node.value.key()).copied(),
            None if nodes.len() == 1 => nodes.values().next().copied(),
            None => None,
        }
    }
}
