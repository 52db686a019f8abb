//! What a mesh means for one Envoy. Cannot fail: a [`CheckedMesh`] has no mistakes.

mod cluster;
mod endpoint;
mod gateway;
mod inbound;
mod observability;
mod outbound;
mod route;
mod wasm;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ::envoy::config::bootstrap::v3::Bootstrap;
use ::envoy::config::cluster::v3::Cluster;
use ::envoy::config::listener::v3::Listener;

use crate::WasmModule;
use crate::checked::{CheckedMesh, Proxy};
use crate::envoy::bootstrap::{Static, static_bootstrap};

/// Port on which a sidecar takes requests for the application beside it.
pub const INGRESS_PORT: u16 = 4100;
/// Port on which a sidecar takes the application's own requests.
pub const EGRESS_PORT: u16 = 4000;
/// Port on which `/stats/prometheus` is scraped.
pub const PROMETHEUS_PORT: u16 = 15090;
/// Port of Envoy's administration, on loopback.
pub const ADMIN_PORT: u16 = 9901;

/// Listeners and the clusters they lead to.
#[derive(Default)]
struct Parts {
    listeners: Vec<Listener>,
    clusters: Vec<Cluster>,
}

/// The bootstrap of one proxy of the mesh.
pub fn lower(mesh: &CheckedMesh, proxy: Proxy, module: &WasmModule) -> Bootstrap {
    let bind = match proxy {
        Proxy::Node(id) => mesh.node(id).bind,
        Proxy::Gateway(id) => mesh.gateway(id).bind,
    };
    let admin = (bind.filter(IpAddr::is_loopback).unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)), ADMIN_PORT);
    let public = public(mesh, proxy);
    let mut parts = Parts::default();
    match proxy {
        Proxy::Node(id) => {
            let node = mesh.node(id);
            parts.extend(inbound::lower(mesh, node, public, module));
            parts.extend(outbound::lower(mesh, node, module));
        }
        Proxy::Gateway(id) => parts.extend(gateway::lower(mesh, mesh.gateway(id), public, module)),
    }
    parts.extend(observability::prometheus(public, admin, module));
    static_bootstrap(Static {
        id: mesh.proxy_name(proxy).to_string(),
        cluster: mesh.name().to_string(),
        admin,
        listeners: parts.listeners,
        clusters: parts.clusters,
    })
}

impl Parts {
    fn extend(&mut self, other: Self) {
        self.listeners.extend(other.listeners);
        self.clusters.extend(other.clusters);
    }
}

/// Where listeners bind that other machines must reach: as said, else everywhere. Both address families where the node
/// has an endpoint with an IPv6 address, IPv4 elsewhere: not every container has IPv6.
fn public(mesh: &CheckedMesh, proxy: Proxy) -> IpAddr {
    let (bind, v6) = match proxy {
        Proxy::Node(id) => {
            let node = mesh.node(id);
            let endpoints = node.serves.iter().flat_map(|serve| &mesh.service(serve.service).endpoints);
            let mut own = endpoints.filter(|endpoint| endpoint.node == Some(id));
            (node.bind, own.any(|endpoint| endpoint.address.host.to_canonical().is_ipv6()))
        }
        Proxy::Gateway(id) => (mesh.gateway(id).bind, false),
    };
    let everywhere = if v6 { Ipv6Addr::UNSPECIFIED.into() } else { Ipv4Addr::UNSPECIFIED.into() };
    bind.unwrap_or(everywhere)
}

/// Where listeners bind that only the application beside the sidecar needs.
fn private(bind: Option<IpAddr>) -> IpAddr {
    bind.filter(IpAddr::is_loopback).unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST))
}
