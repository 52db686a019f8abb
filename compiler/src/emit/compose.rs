//! A mesh as a Compose file: every task a sidecar at its own address, with a stand-in for the application beside it.
//!
//! <https://github.com/compose-spec/compose-spec/blob/main/spec.md>

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

use serde::Serialize;

use crate::checked::{CheckedMesh, Gateway, Id, Node, Proxy};

const ENVOY_IMAGE: &str = "envoyproxy/envoy:v1.40.0";
/// Answers every request with what it got; replaced by the variable `SERVICE_IMAGE`.
const ECHO_IMAGE: &str = "mendhak/http-https-echo:36";
/// Where containers find what `compile` wrote.
const MOUNT: &str = "/etc/meshwright";
/// Docker's own networks begin in 172.17; a network wider than this takes the machine's own addresses away.
const WIDEST: u8 = 8;

#[derive(Serialize)]
struct Document {
    name: String,
    services: BTreeMap<String, Container>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    networks: BTreeMap<&'static str, Network>,
}

#[derive(Default, Serialize)]
struct Container {
    image: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    command: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    working_dir: Option<&'static str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    environment: BTreeMap<&'static str, String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    volumes: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    network_mode: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    networks: BTreeMap<&'static str, Place>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ports: Vec<String>,
}

#[derive(Serialize)]
struct Place {
    #[serde(skip_serializing_if = "Option::is_none")]
    ipv4_address: Option<String>,
}

#[derive(Serialize)]
struct Network {
    ipam: Ipam,
}

#[derive(Serialize)]
struct Ipam {
    config: Vec<Subnet>,
}

#[derive(Serialize)]
struct Subnet {
    subnet: String,
    /// Docker would take the first address, which may be a task's.
    gateway: String,
}

/// The Compose file of a mesh whose configuration `compile` wrote beside it. Endpoints with IPv4 addresses keep them,
/// where one network can hold them all; tasks without an endpoint get whatever address is free.
pub fn compose(mesh: &CheckedMesh) -> String {
    let mut services = BTreeMap::new();
    let network = network(mesh);
    for proxy in mesh.proxies() {
        match proxy {
            Proxy::Node(id) => node(mesh, id, network.is_some(), &mut services),
            Proxy::Gateway(id) => gateway(mesh.gateway(id), network.is_some(), &mut services),
        }
    }
    let ipam = network.map(|subnet| Network { ipam: Ipam { config: vec![subnet] } });
    let document = Document {
        name: key(mesh.name().as_str()),
        services,
        networks: ipam.into_iter().map(|network| ("mesh", network)).collect(),
    };
    // Texts, lists and maps of texts: writing them cannot fail.
    let yaml = serde_yaml::to_string(&document).unwrap_or_default();
    format!("# A local run of mesh {}, compiled by Meshwright. Do not edit.\n{yaml}", mesh.name())
}

/// A container for each task, and beside it one for each service.
fn node(mesh: &CheckedMesh, id: Id<Node>, placed: bool, services: &mut BTreeMap<String, Container>) {
    let node = mesh.node(id);
    let own = node.serves.iter().flat_map(|serve| &mesh.service(serve.service).endpoints);
    let own = own.filter(|endpoint| endpoint.node == Some(id));
    let mut tasks: Vec<Option<IpAddr>> =
        own.map(|endpoint| Some(endpoint.address.host)).collect::<BTreeSet<_>>().into_iter().collect();
    if tasks.is_empty() {
        tasks.push(None);
    }
    let several = tasks.len() > 1;
    for (number, address) in tasks.into_iter().enumerate() {
        let base = key(node.name.as_str());
        let name = if several { format!("{base}-{}", number + 1) } else { base };
        let ipv4_address = address.filter(|it| placed && it.is_ipv4()).map(|it| it.to_string());
        let networks = if placed { BTreeMap::from([("mesh", Place { ipv4_address })]) } else { BTreeMap::new() };
        services.insert(name.clone(), Container { networks, ..sidecar(node.name.as_str()) });
        for serve in &node.serves {
            let service = mesh.service(serve.service);
            let variable = key(service.name.as_str()).replace('-', "_").to_uppercase();
            let port = serve.upstreams.first().map_or(0, |upstream| upstream.address.port);
            services.insert(
                format!("{name}-{}", key(service.name.as_str())),
                Container {
                    image: format!("${{{variable}_IMAGE:-{ECHO_IMAGE}}}"),
                    environment: BTreeMap::from([("HTTP_PORT", port.to_string()), ("PORT", port.to_string())]),
                    network_mode: Some(format!("service:{name}")),
                    ..Container::default()
                },
            );
        }
    }
}

fn gateway(gateway: &Gateway, placed: bool, services: &mut BTreeMap<String, Container>) {
    let ports = gateway.listen.iter().map(|listener| format!("127.0.0.1:{0}:{0}", listener.port)).collect();
    let place = placed.then_some(("mesh", Place { ipv4_address: None }));
    let networks = place.into_iter().collect();
    let container = Container { ports, networks, ..sidecar(gateway.name.as_str()) };
    services.insert(key(gateway.name.as_str()), container);
}

fn sidecar(name: &str) -> Container {
    Container {
        image: ENVOY_IMAGE.to_owned(),
        command: vec!["envoy".to_owned(), "-c".to_owned(), format!("{name}/envoy.yaml")],
        working_dir: Some(MOUNT),
        volumes: vec![format!(".:{MOUNT}:ro")],
        ..Container::default()
    }
}

/// The smallest network with room for every IPv4 endpoint behind a sidecar and a gateway; `None` where that would be
/// half the world.
fn network(mesh: &CheckedMesh) -> Option<Subnet> {
    let endpoints = mesh.services().flat_map(|(_, service)| &service.endpoints).filter(|it| it.node.is_some());
    let taken: BTreeSet<u32> = endpoints
        .filter_map(|endpoint| match endpoint.address.host {
            IpAddr::V4(address) => Some(u32::from(address)),
            IpAddr::V6(_) => None,
        })
        .collect();
    let usual = u32::from(Ipv4Addr::new(10, 213, 0, 2));
    let (least, most) = (taken.first().copied().unwrap_or(usual), taken.last().copied().unwrap_or(usual));
    (WIDEST..=24).rev().find_map(|prefix| {
        let size = 1_u32 << (32 - prefix);
        let base = least / size * size;
        let last = base + (size - 1);
        // The first and the last address are nobody's.
        let fits = base < least && most < last;
        let gateway = (base + 1..last).rev().find(|address| !taken.contains(address))?;
        let subnet = format!("{}/{prefix}", Ipv4Addr::from(base));
        fits.then(|| Subnet { subnet, gateway: Ipv4Addr::from(gateway).to_string() })
    })
}

/// A name as Compose allows it: lower-case letters, digits, dashes.
fn key(name: &str) -> String {
    name.to_ascii_lowercase().replace(|letter: char| !letter.is_ascii_alphanumeric(), "-")
}
