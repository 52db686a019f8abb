//! What a mesh asks of a task: what the sidecar listens on, where it expects the application, how connections get to it.

use std::collections::BTreeSet;
use std::net::IpAddr;

use spec::mesh::Cidr;

use crate::checked::{CheckedMesh, Discovery, Node, Proxy};
use crate::lower::{INGRESS_PORT, INTERCEPTED_INBOUND_PORT, INTERCEPTED_OUTBOUND_PORT, PROMETHEUS_PORT};
use crate::report;

/// The user id of the sidecar, whose own connections are never taken: App Mesh's.
const USER: u32 = 1337;
/// Credentials of tasks and of instances.
const METADATA: [&str; 2] = ["169.254.170.2", "169.254.169.254"];
/// Envoy with a small mesh, and the sidecar that supervises it, in megabytes.
const LEAST_MEMORY: f64 = 64.0;

pub(super) struct Wanted {
    pub(super) name: String,
    pub(super) is_gateway: bool,
    /// Ports that other machines dial, metrics last.
    pub(super) inbound: Vec<u16>,
    pub(super) interception: Option<Interception>,
    /// Where the sidecar finds the application on this node.
    pub(super) application: BTreeSet<u16>,
    /// What it serves, by name.
    pub(super) serves: BTreeSet<String>,
    /// What it calls through its own listener for all services, or by a host outside.
    pub(super) calls_by_name: bool,
    /// Listeners of single services that only the sidecar's own container reaches.
    pub(super) local_on_loopback: BTreeSet<u16>,
    /// Names of other nodes.
    pub(super) others: BTreeSet<String>,
    /// Services that others serve.
    pub(super) served_by_others: BTreeSet<String>,
    pub(super) user: u32,
    pub(super) megabytes: u64,
}

/// As `proxyConfiguration` says it.
pub(super) struct Interception {
    pub(super) inbound: u16,
    pub(super) outbound: u16,
    /// Ports that callers dial. Empty where only what runs can tell.
    pub(super) application: BTreeSet<u16>,
    pub(super) ignored_networks: String,
    pub(super) ignored_ports: String,
}

impl Wanted {
    pub(super) fn of(mesh: &CheckedMesh, proxy: Proxy) -> Self {
        let node = match proxy {
            Proxy::Node(id) => Some(mesh.node(id)),
            Proxy::Gateway(_) => None,
        };
        let mut inbound = match proxy {
            Proxy::Node(id) if mesh.node(id).serves.is_empty() => Vec::new(),
            Proxy::Node(_) => vec![INGRESS_PORT],
            Proxy::Gateway(id) => mesh.gateway(id).listen.iter().map(|listener| listener.port).collect(),
        };
        let prometheus = mesh.situation(proxy).stats.as_ref().and_then(|stats| stats.prometheus.as_ref());
        inbound.push(prometheus.map_or(PROMETHEUS_PORT, |said| said.port.value));
        let calls = node.map_or(&[][..], |node| &node.calls);
        let local = calls.iter().filter_map(|call| call.local);
        let said_user = node.and_then(|node| node.transparent_proxy.as_ref()?.ignored_uid.as_ref());
        // The report knows what wasm costs; both are sums of small numbers.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 64 and a few hundred")]
        let megabytes = (LEAST_MEMORY + report::of_proxy(mesh, proxy).megabytes).ceil() as u64;
        let name = mesh.proxy_name(proxy);
        let others = || mesh.nodes().map(|(_, node)| node).filter(|other| other.name != *name);
        let served = |node: &Node| -> BTreeSet<String> {
            node.serves.iter().map(|serve| mesh.service(serve.service).name.to_string()).collect()
        };
        Self {
            others: others().map(|other| other.name.to_string()).collect(),
            served_by_others: others().flat_map(served).collect(),
            name: mesh.proxy_name(proxy).to_string(),
            is_gateway: node.is_none(),
            inbound,
            interception: node.and_then(|node| interception(mesh, proxy, node)),
            application: node.map_or(BTreeSet::new(), application),
            serves: node.map_or(BTreeSet::new(), served),
            calls_by_name: calls.iter().any(|call| call.local.is_none())
                || (node.is_some() && mesh.situation(proxy).egress.is_some()),
            local_on_loopback: local.filter(|(bind, _)| bind.is_loopback()).map(|(_, port)| port).collect(),
            user: said_user.map_or(USER, |said| said.value),
            megabytes,
        }
    }
}

fn application(node: &Node) -> BTreeSet<u16> {
    node.serves.iter().flat_map(|serve| &serve.upstreams).map(|upstream| upstream.address.port).collect()
}

fn interception(mesh: &CheckedMesh, proxy: Proxy, node: &Node) -> Option<Interception> {
    let said = node.transparent_proxy.as_ref()?;
    let port = |said: &Option<spec::Spanned<u16>>, default| said.as_ref().map_or(default, |port| port.value);
    let mut dialled = BTreeSet::new();
    for service in node.serves.iter().map(|serve| mesh.service(serve.service)) {
        let own = service.endpoints.iter().filter(|endpoint| endpoint.node.map(Proxy::Node) == Some(proxy));
        dialled.extend(own.map(|endpoint| endpoint.address.port));
        match &service.discovery {
            Discovery::Ecs(ecs) => dialled.extend(ecs.port.as_ref().map(|port| port.value)),
            Discovery::Dns(dns) => dialled.extend([dns.address.value.port]),
            Discovery::CloudMap(cloud_map) => dialled.extend(cloud_map.port.as_ref().map(|port| port.value)),
            Discovery::Said => {}
        }
    }
    if dialled.is_empty() {
        dialled = application(node);
    }
    let networks: Vec<String> = match said.ignored_networks.as_slice() {
        [] => METADATA.map(str::to_owned).into(),
        said => said.iter().map(|network| network_text(&network.value)).collect(),
    };
    let ports: Vec<String> = said.ignored_ports.iter().map(|port| port.value.to_string()).collect();
    Some(Interception {
        inbound: port(&said.inbound_port, INTERCEPTED_INBOUND_PORT),
        outbound: port(&said.outbound_port, INTERCEPTED_OUTBOUND_PORT),
        application: dialled,
        ignored_networks: networks.join(","),
        ignored_ports: ports.join(","),
    })
}

/// A single address as ECS's own examples have it.
fn network_text(network: &Cidr) -> String {
    let whole = match network.address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    };
    if network.prefix == whole { network.address.to_string() } else { network.to_string() }
}
