//! Puts the mesh's services together from `services:` and from the nodes.

use std::collections::BTreeMap;
use std::net::IpAddr;

use spec::mesh::{Address, Endpoint, Serve, Service};
use spec::{Diagnostic, Diagnostics, Name, Spanned, codes};

use super::{INGRESS_PORT, read};

/// Services in the order in which they were first named.
#[derive(Default)]
pub(super) struct Services {
    list: Vec<Building>,
    by_name: BTreeMap<String, usize>,
}

struct Building {
    service: Service,
    /// Whether `services:` gives its endpoints.
    origin: Origin,
    /// The nodes that serve it.
    nodes: Nodes,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Origin {
    Declared,
    Nodes,
}

#[derive(Default)]
struct Nodes {
    names: Vec<Spanned<Name>>,
    by_address: BTreeMap<Address, usize>,
    by_host: BTreeMap<IpAddr, usize>,
}

impl Services {
    /// Takes an entry of `services:`: its endpoints, if it has any, are what callers dial.
    pub(super) fn declare(&mut self, declared: read::Service) {
        let Some(building) = self.building(&declared.name) else { return };
        if !declared.endpoints.is_empty() {
            building.origin = Origin::Declared;
        }
        building.service.annotations.extend(declared.annotations);
        building.service.endpoints.extend(declared.endpoints.into_iter().map(as_written));
    }

    /// Takes a service of a node. Unless `services:` says what callers dial, they dial this node.
    pub(super) fn serve(&mut self, node: &Spanned<Name>, served: read::Service) -> Serve {
        let mut upstreams: Vec<Endpoint> = served.endpoints.into_iter().map(as_written).collect();
        if let Some(building) = self.building(&served.name) {
            building.nodes.add(node, &upstreams);
            if building.origin == Origin::Nodes {
                for upstream in &mut upstreams {
                    let annotations = std::mem::take(&mut upstream.annotations);
                    let endpoint = Endpoint { node: Some(node.clone()), annotations, ..upstream.clone() };
                    building.service.endpoints.push(endpoint);
                }
            }
        }
        Serve { service: served.name, upstreams, fault: None, annotations: served.annotations }
    }

    pub(super) fn finish(self, diagnostics: &mut Diagnostics) -> Vec<Service> {
        let finish = |building: Building| {
            let Building { mut service, origin, nodes } = building;
            if origin == Origin::Declared {
                let name = service.name.value.clone();
                service.endpoints.iter_mut().for_each(|endpoint| nodes.attribute(endpoint, &name, diagnostics));
            }
            service
        };
        self.list.into_iter().map(finish).collect()
    }

    /// Always there: the index is that of the list.
    fn building(&mut self, name: &Spanned<Name>) -> Option<&mut Building> {
        let index = *self.by_name.entry(name.value.key()).or_insert(self.list.len());
        if index == self.list.len() {
            let service = Service::named(name.clone());
            self.list.push(Building { service, origin: Origin::Nodes, nodes: Nodes::default() });
        }
        self.list.get_mut(index)
    }
}

impl Nodes {
    fn add(&mut self, node: &Spanned<Name>, upstreams: &[Endpoint]) {
        let index = self.names.len();
        self.names.push(node.clone());
        for Spanned { value: address, .. } in upstreams.iter().map(|upstream| &upstream.address) {
            self.by_address.entry(address.clone()).or_insert(index);
            self.by_host.entry(address.host).or_insert(index);
        }
    }

    /// Finds the node of an endpoint that callers dial: by the application's address, by the host of a sidecar's
    /// address, or because no other node serves it.
    fn attribute(&self, endpoint: &mut Endpoint, service: &Name, diagnostics: &mut Diagnostics) {
        let address = &endpoint.address.value;
        let is_sidecar = address.port == INGRESS_PORT;
        let by_host = || self.by_host.get(&address.host).filter(|_| is_sidecar);
        let only = || (is_sidecar && self.names.len() == 1).then_some(&0);
        let index = self.by_address.get(address).or_else(by_host).or_else(only);
        endpoint.node = index.and_then(|index| self.names.get(*index)).cloned();
        if let (None, false, Some(node)) = (&endpoint.node, is_sidecar, self.names.first()) {
            let message = format!(
                "endpoint `{address}` of service `{service}` is dialled on port {INGRESS_PORT}: \
                 a service that a node serves is behind sidecars everywhere"
            );
            let diagnostic = Diagnostic::warning(codes::IMPORTED_DIFFERENTLY, endpoint.address.span, message);
            let related = format!("served by node `{}`", node.value);
            diagnostics.push(diagnostic.related(node.span, related).help("give the endpoint a service of its own"));
        }
    }
}

fn as_written(endpoint: read::Endpoint) -> Endpoint {
    let read::Endpoint { address, annotations } = endpoint;
    Endpoint { address, weight: None, node: None, annotations }
}
