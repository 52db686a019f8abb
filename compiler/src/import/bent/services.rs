//! Puts the mesh's services together from `services:` and from the nodes.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use spec::mesh::{Address, Endpoint, Entry, Serve, Service};
use spec::{Diagnostic, Diagnostics, Name, Spanned, codes};

use super::{INGRESS_PORT, read};
use crate::annotation::{Level, find};

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
    /// `None`, with a warning, when nothing is known of where the application listens.
    pub(super) fn serve(
        &mut self,
        node: &Spanned<Name>,
        served: read::Service,
        diagnostics: &mut Diagnostics,
    ) -> Option<Serve> {
        if served.endpoints.is_empty() {
            let (service, node) = (&served.name.value, &node.value);
            let message = format!("service `{service}` of node `{node}` has no endpoints: it is not served there");
            let diagnostic = Diagnostic::warning(codes::NO_ENDPOINTS, served.name.span, message);
            diagnostics.push(diagnostic.help("add an endpoint with `address` and `port`"));
            // What speaks of the whole service still holds; the rest spoke of this node.
            let of_service = |it: &Entry| find(&it.key.value).is_none_or(|known| known.level == Level::Service);
            let annotations = served.annotations.into_iter().filter(of_service);
            if let Some(building) = self.building(&served.name) {
                building.service.annotations.extend(annotations);
            }
            return None;
        }
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
        Some(Serve { service: served.name, upstreams, fault: None, annotations: served.annotations })
    }

    pub(super) fn finish(self, diagnostics: &mut Diagnostics) -> Vec<Service> {
        let finish = |building: Building| {
            let Building { mut service, origin, nodes } = building;
            if origin == Origin::Declared {
                nodes.attribute(&mut service, diagnostics);
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

    /// Finds the node of every endpoint that callers dial. What they dial is the same whichever it is.
    fn attribute(&self, service: &mut Service, diagnostics: &mut Diagnostics) {
        let known: Vec<Option<usize>> = service.endpoints.iter().map(|endpoint| self.known(endpoint)).collect();
        let taken: BTreeSet<usize> = known.iter().flatten().copied().collect();
        // Nodes without an endpoint come first, in the order of the file; then all of them, again and again.
        let free = (0..self.names.len()).filter(|index| !taken.contains(index));
        let mut next = free.chain((0..self.names.len()).cycle());
        for (endpoint, known) in service.endpoints.iter_mut().zip(known) {
            let Some(node) = known.or_else(|| next.next()).and_then(|index| self.names.get(index)) else { return };
            let address = &endpoint.address.value;
            if address.port != INGRESS_PORT && known.is_none() {
                diagnostics.push(behind_sidecars(&service.name.value, endpoint, node));
            } else if known.is_none() {
                let message = format!(
                    "whose sidecar listens at `{address}` is not said: taken as that of node `{}`, in the order of \
                     the file",
                    node.value
                );
                let note = Diagnostic::note(codes::IMPORTED_DIFFERENTLY, endpoint.address.span, message);
                diagnostics.push(note.related(node.span, "the node"));
            }
            endpoint.node = Some(node.clone());
        }
    }

    /// The node that has the application's address, or is at the host of a sidecar's address, or is the only one.
    fn known(&self, endpoint: &Endpoint) -> Option<usize> {
        let address = &endpoint.address.value;
        let is_sidecar = address.port == INGRESS_PORT;
        let by_host = || self.by_host.get(&address.host).copied().filter(|_| is_sidecar);
        let only = || (is_sidecar && self.names.len() == 1).then_some(0);
        self.by_address.get(address).copied().or_else(by_host).or_else(only)
    }
}

/// An endpoint that is not a sidecar's, of a service that has sidecars.
fn behind_sidecars(service: &Name, endpoint: &Endpoint, node: &Spanned<Name>) -> Diagnostic {
    let message = format!(
        "endpoint `{}` of service `{service}` is dialled on port {INGRESS_PORT}: a service that a node serves is \
         behind sidecars everywhere",
        endpoint.address.value
    );
    Diagnostic::warning(codes::IMPORTED_DIFFERENTLY, endpoint.address.span, message)
        .related(node.span, format!("taken as an endpoint of node `{}`", node.value))
        .help("give the endpoint a service of its own")
}

fn as_written(endpoint: read::Endpoint) -> Endpoint {
    let read::Endpoint { address, annotations } = endpoint;
    Endpoint { annotations, ..Endpoint::at(address) }
}
