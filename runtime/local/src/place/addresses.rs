//! Giving out addresses and ports, each combination once.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use compiler::checked::Service;
use compiler::lower::{ADMIN_PORT, EGRESS_PORT, INGRESS_PORT, PROMETHEUS_PORT};
use spec::Name;
use spec::mesh::{Address, Mesh, Protocol};

use super::{PlaceError, Port, Speaks, Workload};
use crate::subnet::Subnet;

/// Ports of the sidecar. On loopback no endpoint may have them, whatever the address.
const SIDECAR_PORTS: [u16; 4] = [INGRESS_PORT, EGRESS_PORT, PROMETHEUS_PORT, ADMIN_PORT];
/// How far up an application moves that listens on such a port.
const PORT_SHIFT: u16 = 20_000;

/// What was given out so far.
pub(super) struct Addresses {
    free: Box<dyn Iterator<Item = Ipv4Addr>>,
    available: usize,
    listens: BTreeSet<SocketAddr>,
    moved_ports: BTreeMap<u16, u16>,
    hosts: BTreeMap<IpAddr, IpAddr>,
    apps: BTreeMap<(usize, Home, u16), SocketAddr>,
    workloads: Vec<Workload>,
}

/// Beside what an application runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Home {
    /// An Envoy, by its new address.
    Envoy(IpAddr),
    /// Nothing of the mesh; by its address as written.
    Host(IpAddr),
}

/// An application as the mesh names it. Two services never share one, so that an answer tells which was meant.
pub(super) struct App<'a> {
    pub(super) service: &'a Service,
    /// The service's place in the mesh.
    pub(super) index: usize,
    pub(super) node: Option<&'a Name>,
    pub(super) original: Address,
}

impl Addresses {
    pub(super) fn new(subnet: Subnet, mesh: &Mesh) -> Self {
        Self {
            free: Box::new(subnet.addresses()),
            available: subnet.capacity(),
            listens: BTreeSet::new(),
            moved_ports: moved_ports(mesh),
            hosts: BTreeMap::new(),
            apps: BTreeMap::new(),
            workloads: Vec::new(),
        }
    }

    /// A fresh address for an Envoy that listens on these ports.
    pub(super) fn envoy(&mut self, ports: &[Port]) -> Result<IpAddr, PlaceError> {
        let address = self.fresh()?;
        self.listens.extend(ports.iter().map(|port| SocketAddr::new(address, port.number)));
        Ok(address)
    }

    /// The address of an application, the same for the same application: beside its home, or, where the ports are
    /// taken, at an address of its own.
    pub(super) fn app(&mut self, home: Home, app: App<'_>) -> Result<Address, PlaceError> {
        let port = self.port(app.original.port);
        let key = (app.index, home, port);
        let listen = match self.apps.get(&key) {
            Some(listen) => *listen,
            None => {
                let check_port = app.service.health_check.as_ref().and_then(|check| check.port);
                let listen = self.room(home, port, check_port)?;
                self.apps.insert(key, listen);
                let speaks = match app.service.protocol {
                    Protocol::Http | Protocol::Http2 | Protocol::Grpc => Speaks::Http,
                    Protocol::Tcp => Speaks::Bytes,
                };
                self.listen(SocketAddr::new(listen.ip(), port), speaks, app.service, app.node, &app.original);
                if let Some(port) = check_port {
                    let listen = SocketAddr::new(listen.ip(), port);
                    self.listen(listen, Speaks::Http, app.service, app.node, &app.original);
                }
                listen
            }
        };
        Ok(Address { host: listen.ip(), port: listen.port() })
    }

    /// Sees to it that callers find the application's own health port beside its sidecar.
    pub(super) fn health(&mut self, envoy: IpAddr, service: &Service, node: &Name, original: Address) {
        if let Some(port) = service.health_check.as_ref().and_then(|check| check.port) {
            self.listen(SocketAddr::new(envoy, port), Speaks::Http, service, Some(node), &original);
        }
    }

    /// The port that stands for a port as written.
    pub(super) fn port(&self, written: u16) -> u16 {
        self.moved_ports.get(&written).copied().unwrap_or(written)
    }

    pub(super) fn into_workloads(self) -> Vec<Workload> {
        self.workloads
    }

    fn room(&mut self, home: Home, port: u16, check_port: Option<u16>) -> Result<SocketAddr, PlaceError> {
        let beside = match home {
            Home::Envoy(address) => address,
            Home::Host(host) => match self.hosts.get(&host) {
                Some(address) => *address,
                None => {
                    let address = self.fresh()?;
                    self.hosts.insert(host, address);
                    address
                }
            },
        };
        let mut ports = std::iter::once(port).chain(check_port);
        if ports.all(|port| !self.listens.contains(&SocketAddr::new(beside, port))) {
            return Ok(SocketAddr::new(beside, port));
        }
        Ok(SocketAddr::new(self.fresh()?, port))
    }

    fn listen(
        &mut self,
        listen: SocketAddr,
        speaks: Speaks,
        service: &Service,
        node: Option<&Name>,
        original: &Address,
    ) {
        if self.listens.insert(listen) {
            let (service, node, original) = (service.name.clone(), node.cloned(), original.clone());
            self.workloads.push(Workload { listen, service, node, original, speaks });
        }
    }

    fn fresh(&mut self) -> Result<IpAddr, PlaceError> {
        self.free.next().map(IpAddr::V4).ok_or(PlaceError::Full { available: self.available })
    }
}

/// For each of the sidecar's ports that the mesh gives to an application, one that nobody uses.
fn moved_ports(mesh: &Mesh) -> BTreeMap<u16, u16> {
    let callers = mesh.services.iter().flat_map(|service| &service.endpoints);
    let upstreams = mesh.nodes.iter().flat_map(|node| &node.serves).flat_map(|serve| &serve.upstreams);
    let mut used: BTreeSet<u16> = callers.chain(upstreams).map(|endpoint| endpoint.address.value.port).collect();
    let mut moved = BTreeMap::new();
    for port in SIDECAR_PORTS {
        if used.contains(&port) {
            // There is a free one unless the mesh uses sixty thousand ports; then checking refuses the port.
            let free = (port + PORT_SHIFT..=u16::MAX).find(|candidate| !used.contains(candidate)).unwrap_or(port);
            used.insert(free);
            moved.insert(port, free);
        }
    }
    moved
}
