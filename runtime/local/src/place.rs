//! Moving a mesh to loopback addresses: each Envoy gets an address of its own, and nothing else changes.
//!
//! A node with endpoints at k addresses becomes k nodes, as ECS would run k tasks of it. Ports stay as written, but
//! for those that the sidecar beside the application needs itself.

mod addresses;

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use compiler::CheckedMesh;
use compiler::checked;
use compiler::lower::{ADMIN_PORT, EGRESS_PORT, INGRESS_PORT, PROMETHEUS_PORT};
use spec::mesh::{Address, Endpoint, Mesh, Serve, Stats};
use spec::{Name, Spanned};

use crate::subnet::Subnet;
use addresses::{Addresses, App, Home};

/// Where intercepted connections arrive unless the mesh says another port.
const INBOUND_PORT: u16 = 15000;
const OUTBOUND_PORT: u16 = 15001;
const QUICK_INTERVAL: Duration = Duration::from_secs(1);

/// A mesh that runs on this machine, and what has to run for it.
#[derive(Clone, Debug)]
pub struct Placement {
    /// The same mesh at loopback addresses; to be checked and compiled as any other.
    pub mesh: Mesh,
    pub instances: Vec<Instance>,
    pub workloads: Vec<Workload>,
}

/// One Envoy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// The name of its node or gateway in the placed mesh.
    pub name: Name,
    /// The name in the mesh as written; differs for a node that became several.
    pub origin: Name,
    pub kind: InstanceKind,
    pub address: IpAddr,
    /// The address in the mesh as written, if an endpoint says it.
    pub original: Option<IpAddr>,
    /// Where its Envoy listens, as the mesh says it.
    pub ports: Vec<Port>,
}

/// A port on which an Envoy listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Port {
    pub number: u16,
    /// What for, in a word.
    pub purpose: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InstanceKind {
    Node,
    /// With the first of the ports that the outside world uses.
    Gateway {
        listen: u16,
    },
}

/// One application to stand in for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workload {
    pub listen: SocketAddr,
    pub service: Name,
    /// The node behind whose sidecar it runs; none outside the mesh.
    pub node: Option<Name>,
    /// Where the mesh as written has it.
    pub original: Address,
    pub speaks: Speaks,
}

/// What an application understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaks {
    /// HTTP of any version, and gRPC.
    Http,
    Bytes,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlaceError {
    #[error("the mesh needs more than the {available} addresses of the range; use a wider one, such as 127.77.0.0/16")]
    Full { available: usize },
}

/// Places a mesh. `checked` is the result of checking `mesh`; annotations must have been applied to both.
pub fn place(mesh: &Mesh, checked: &CheckedMesh, subnet: Subnet) -> Result<Placement, PlaceError> {
    let mut addresses = Addresses::new(subnet, mesh);
    let nodes = node_instances(mesh, checked, &mut addresses)?;
    let gateways = gateway_instances(mesh, checked, &mut addresses)?;
    let mut placed = mesh.clone();
    unbind_prometheus(placed.defaults.stats.as_mut());
    placed.nodes.clear();
    for (index, (declared, (_, node))) in mesh.nodes.iter().zip(checked.nodes()).enumerate() {
        if node.proxyless {
            placed.nodes.push(declared.clone());
        }
        for instance in nodes.iter().filter(|instance| instance.node == index) {
            let mut copy = declared.clone();
            copy.name.value = instance.instance.name.clone();
            let bind = Spanned::new(instance.instance.address, declared.name.span);
            copy.bind = Some(bind);
            unbind_prometheus(copy.stats.as_mut());
            for call in copy.calls.iter_mut().filter(|call| call.local_port.is_some()) {
                call.local_address = Some(bind);
            }
            for (serve, resolved) in copy.serves.iter_mut().zip(&node.serves) {
                serve.upstreams = upstreams(serve, resolved, checked, instance, &nodes, &mut addresses)?;
            }
            placed.nodes.push(copy);
        }
    }
    for (service, (id, resolved)) in placed.services.iter_mut().zip(checked.services()) {
        for (endpoint, resolved_endpoint) in service.endpoints.iter_mut().zip(&resolved.endpoints) {
            match resolved_endpoint.node {
                Some(node) => owned(endpoint, resolved, node.index(), &nodes, &mut addresses),
                None => {
                    let original = endpoint.address.value.clone();
                    let home = Home::Host(original.host);
                    let app = App { service: resolved, index: id.index(), node: None, original };
                    endpoint.address.value = addresses.app(home, app)?;
                }
            }
        }
    }
    for (gateway, instance) in placed.gateways.iter_mut().zip(&gateways) {
        gateway.bind = Some(Spanned::new(instance.address, gateway.name.span));
        unbind_prometheus(gateway.stats.as_mut());
    }
    let instances = nodes.into_iter().map(|placed| placed.instance).chain(gateways).collect();
    Ok(Placement { mesh: placed, instances, workloads: addresses.into_workloads() })
}

/// Makes health checks answer within seconds of the start, when the Envoys begin one after the other: at most a
/// second between two, and one success is enough.
pub fn hasten_health_checks(mesh: &mut Mesh) {
    for service in &mut mesh.services {
        let span = service.span();
        let Some(check) = &mut service.health_check else { continue };
        let interval = check.interval.map_or(QUICK_INTERVAL, |interval| interval.value.min(QUICK_INTERVAL));
        check.interval = Some(Spanned::new(interval, span));
        check.healthy_threshold = Some(Spanned::new(1, span));
    }
}

/// An instance of a node, and the node's place in the mesh as written.
struct NodeInstance {
    node: usize,
    instance: Instance,
}

fn node_instances(
    mesh: &Mesh,
    checked: &CheckedMesh,
    addresses: &mut Addresses,
) -> Result<Vec<NodeInstance>, PlaceError> {
    let nodes = mesh.nodes.iter().map(|node| node.name.value.key());
    let mut taken: BTreeSet<String> =
        nodes.chain(mesh.gateways.iter().map(|gateway| gateway.name.value.key())).collect();
    let mut instances = Vec::new();
    let sidecars = mesh.nodes.iter().zip(checked.nodes()).enumerate().filter(|(_, (_, (_, node)))| !node.proxyless);
    for (index, (declared, (_, node))) in sidecars {
        let origin = &declared.name.value;
        let ports = node_ports(node);
        let originals = original_addresses(checked, index);
        let count = originals.len();
        for (number, original) in originals.into_iter().enumerate() {
            let name = if count == 1 { origin.clone() } else { numbered(origin, number + 1, &mut taken) };
            let address = addresses.envoy(&ports)?;
            let (origin, kind, ports) = (origin.clone(), InstanceKind::Node, ports.clone());
            instances.push(NodeInstance {
                node: index,
                instance: Instance { name, origin, kind, address, original, ports },
            });
        }
    }
    Ok(instances)
}

fn gateway_instances(
    mesh: &Mesh,
    checked: &CheckedMesh,
    addresses: &mut Addresses,
) -> Result<Vec<Instance>, PlaceError> {
    let instance = |(gateway, (_, resolved)): (&spec::mesh::Gateway, (_, &checked::Gateway))| {
        let ports = gateway_ports(resolved);
        let listen = resolved.listen.first().map_or(0, |listener| listener.port);
        let address = addresses.envoy(&ports)?;
        let name = gateway.name.value.clone();
        let kind = InstanceKind::Gateway { listen };
        Ok(Instance { name: name.clone(), origin: name, kind, address, original: None, ports })
    };
    mesh.gateways.iter().zip(checked.gateways()).map(instance).collect()
}

fn node_ports(node: &checked::Node) -> Vec<Port> {
    let port = |number, purpose| Port { number, purpose };
    let mut ports = vec![port(INGRESS_PORT, "ingress"), port(EGRESS_PORT, "egress")];
    if let Some(proxy) = &node.transparent_proxy {
        let said = |said: &Option<Spanned<u16>>, otherwise| said.map_or(otherwise, |port| port.value);
        ports.push(port(said(&proxy.inbound_port, INBOUND_PORT), "intercepted ingress"));
        ports.push(port(said(&proxy.outbound_port, OUTBOUND_PORT), "intercepted egress"));
    }
    ports.extend(node.calls.iter().filter_map(|call| call.local).map(|(_, number)| port(number, "local port")));
    ports.extend(own_ports(&node.at));
    ports
}

fn gateway_ports(gateway: &checked::Gateway) -> Vec<Port> {
    let listens = gateway.listen.iter().map(|listener| Port { number: listener.port, purpose: "gateway" });
    listens.chain(own_ports(&gateway.at)).collect()
}

/// What every Envoy has.
fn own_ports(at: &checked::Situation) -> [Port; 2] {
    let prometheus = at.stats.as_ref().and_then(|stats| stats.prometheus.as_ref());
    let number = prometheus.map_or(PROMETHEUS_PORT, |prometheus| prometheus.port.value);
    [Port { number, purpose: "metrics" }, Port { number: ADMIN_PORT, purpose: "administration" }]
}

/// Wherever metrics are scraped in the mesh as written, here it is at each Envoy's own address.
fn unbind_prometheus(stats: Option<&mut Stats>) {
    if let Some(prometheus) = stats.and_then(|stats| stats.prometheus.as_mut()) {
        prometheus.bind = None;
    }
}

/// The addresses of a node's endpoints, each once, in the order of the mesh. Never empty: a node without endpoints
/// runs once, at no address in particular.
fn original_addresses(checked: &CheckedMesh, node: usize) -> Vec<Option<IpAddr>> {
    let endpoints = checked.services().flat_map(|(_, service)| &service.endpoints);
    let mut found = Vec::new();
    for endpoint in endpoints.filter(|endpoint| endpoint.node.is_some_and(|id| id.index() == node)) {
        let host = Some(endpoint.address.host);
        if !found.contains(&host) {
            found.push(host);
        }
    }
    if found.is_empty() {
        found.push(None);
    }
    found
}

/// `name-1`, or, where the mesh has such a name already, `name-task-1`.
fn numbered(origin: &Name, number: usize, taken: &mut BTreeSet<String>) -> Name {
    let mut suffix = format!("-{number}");
    loop {
        let room = 253_usize.saturating_sub(suffix.len());
        let stem = origin.as_str().get(..origin.as_str().len().min(room)).unwrap_or("");
        // Without a stem of its own (absurdly long suffixes only) the name as written has to do.
        let Some(name) = Name::new(&format!("{stem}{suffix}")) else { return origin.clone() };
        if taken.insert(name.key()) {
            return name;
        }
        suffix = format!("-task{suffix}");
    }
}

/// Where the sidecar of this instance finds the application.
fn upstreams(
    serve: &Serve,
    resolved: &checked::Serve,
    checked: &CheckedMesh,
    at: &NodeInstance,
    nodes: &[NodeInstance],
    addresses: &mut Addresses,
) -> Result<Vec<Endpoint>, PlaceError> {
    let mut upstreams = Vec::new();
    for upstream in &resolved.upstreams {
        let written = &upstream.address;
        let (home, node, host) = match home(written.host, at, nodes) {
            Some(task) => (Home::Envoy(task.address), &task.name, task.original.unwrap_or(written.host)),
            None => (Home::Host(written.host), &at.instance.origin, written.host),
        };
        let app = App {
            service: checked.service(resolved.service),
            index: resolved.service.index(),
            node: Some(node),
            original: Address { host, port: written.port },
        };
        upstreams.push(Endpoint {
            weight: Some(Spanned::new(upstream.weight, serve.service.span)),
            ..Endpoint::at(Spanned::new(addresses.app(home, app)?, serve.service.span))
        });
    }
    Ok(upstreams)
}

/// The task in which an upstream runs: `127.0.0.1` is the sidecar's own, another one is found by its address, first
/// among the tasks of the same node.
fn home<'a>(host: IpAddr, at: &'a NodeInstance, nodes: &'a [NodeInstance]) -> Option<&'a Instance> {
    if host.to_canonical() == IpAddr::from([127, 0, 0, 1]) || host == IpAddr::V6(std::net::Ipv6Addr::LOCALHOST) {
        return Some(&at.instance);
    }
    let with_address = |candidate: &&NodeInstance| candidate.instance.original == Some(host);
    let own = nodes.iter().filter(|candidate| candidate.node == at.node).find(with_address);
    own.or_else(|| nodes.iter().find(with_address)).map(|found| &found.instance)
}

/// Callers dial the sidecar of the task that has the endpoint's address, and check the application's health there.
fn owned(
    endpoint: &mut Endpoint,
    service: &checked::Service,
    node: usize,
    nodes: &[NodeInstance],
    addresses: &mut Addresses,
) {
    let original = endpoint.address.value.clone();
    let task = nodes.iter().find(|task| task.node == node && task.instance.original == Some(original.host));
    // Every address of a node's endpoints has its task.
    let Some(NodeInstance { instance: task, .. }) = task else { return };
    endpoint.address.value = Address { host: task.address, port: addresses.port(original.port) };
    endpoint.node = Some(Spanned::new(task.name.clone(), endpoint.address.span));
    addresses.health(task.address, service, &task.name, original);
}

#[cfg(test)]
mod tests;
