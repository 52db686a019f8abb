//! Where a service runs: said, or found out.

use std::time::Duration;

use super::{Address, Entry, HostPort, Place};
use crate::block::{Block, Word};
use crate::names::Name;
use crate::source::Spanned;
use crate::value::{mesh, network, number, text, time};

/// One place where a service runs, as its callers reach it.
///
/// Callers dial the sidecar of the node it belongs to (port 4100), or, outside the mesh, the address as written.
#[derive(Clone, Debug, PartialEq, Block)]
#[block(what = "an endpoint", line)]
pub struct Endpoint {
    /// IP address and port of the application.
    #[field(main)]
    pub address: Spanned<Address>,
    /// Relative to the other endpoints of the service.
    #[field(value = number::ENDPOINT_WEIGHT, default = "64")]
    pub weight: Option<Spanned<u32>>,
    /// The node whose sidecar stands before it; found by `serves` when absent.
    #[field(value = mesh::NODE)]
    pub node: Option<Spanned<Name>>,
    /// The port of that sidecar, where it is not its own: tasks in bridge mode have ports of their host.
    #[field(value = network::PORT, default = "4100")]
    pub ingress_port: Option<Spanned<u16>>,
    /// Endpoints of a higher number are used when those of lower numbers are not healthy.
    #[field(value = number::PRIORITY, default = "0")]
    pub priority: Option<Spanned<u32>>,
    /// The region it is in, such as `eu-central-1`.
    #[field(value = text::LABEL)]
    pub region: Option<Spanned<String>>,
    /// The availability zone it is in, such as `eu-central-1a`.
    #[field(value = text::LABEL)]
    pub zone: Option<Spanned<String>>,
    /// By which subsets choose.
    #[field(entries)]
    pub labels: Vec<Entry>,
    /// Annotations of this endpoint.
    #[field(entries)]
    pub annotations: Vec<Entry>,
}

impl Endpoint {
    /// An endpoint of which nothing but the address is said.
    pub fn at(address: Spanned<Address>) -> Self {
        Self {
            address,
            weight: None,
            node: None,
            ingress_port: None,
            priority: None,
            region: None,
            zone: None,
            labels: Vec::new(),
            annotations: Vec::new(),
        }
    }
}

/// Endpoints that DNS tells.
#[derive(Clone, Debug, PartialEq, Block)]
#[block(what = "a DNS name", line)]
pub struct Dns {
    /// The name that is resolved, and the port.
    #[field(main)]
    pub address: Spanned<HostPort>,
    /// Whether every address that DNS answers is an endpoint, or one at a time.
    #[field(default = "strict")]
    pub mode: Option<Spanned<DnsMode>>,
    /// How often DNS is asked, unless the answer says how long it holds.
    #[field(value = time::REFRESH, default = "5s")]
    pub refresh: Option<Spanned<Duration>>,
    /// Which addresses are used.
    #[field(default = "v4-only")]
    pub ip: Option<Spanned<IpFamily>>,
}

/// What an answer of DNS means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Word)]
pub enum DnsMode {
    /// Every address is an endpoint (Envoy's `STRICT_DNS`, App Mesh's `ENDPOINTS`).
    Strict,
    /// New connections go to the first address of the newest answer (Envoy's `LOGICAL_DNS`, App Mesh's `LOADBALANCER`).
    Logical,
}

/// Which IP addresses are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Word)]
pub enum IpFamily {
    /// IPv4 alone.
    V4Only,
    /// IPv6 alone.
    V6Only,
    /// IPv4 where there is one.
    V4Preferred,
    /// IPv6 where there is one.
    V6Preferred,
}

/// Endpoints that ECS tells: the running tasks.
#[derive(Clone, Debug, PartialEq, Block)]
#[block(what = "discovery by ECS", line)]
pub struct EcsDiscovery {
    /// The cluster's name or ARN.
    #[field(default = "the only one that `ecs` of the mesh names, else `default`")]
    pub cluster: Option<Spanned<String>>,
    /// The ECS service whose tasks are endpoints.
    pub service: Option<Spanned<String>>,
    /// The task definition family whose tasks are endpoints.
    pub family: Option<Spanned<String>>,
    /// The container that listens; needed when several do.
    pub container: Option<Spanned<String>>,
    /// The container's port; needed when it has several.
    #[field(value = network::PORT)]
    pub port: Option<Spanned<u16>>,
    #[field(place)]
    pub place: Place,
}

/// Endpoints that AWS Cloud Map tells.
#[derive(Clone, Debug, PartialEq, Block)]
#[block(what = "discovery by Cloud Map", line)]
pub struct CloudMap {
    /// The namespace, such as `shop.local`.
    pub namespace: Spanned<String>,
    /// The service in it.
    pub service: Spanned<String>,
    /// The port, where instances do not say `AWS_INSTANCE_PORT`.
    #[field(value = network::PORT)]
    pub port: Option<Spanned<u16>>,
    /// Which addresses are used.
    #[field(default = "v4-only")]
    pub ip: Option<Spanned<IpFamily>>,
    /// Instances must have all of these.
    #[field(entries)]
    pub attributes: Vec<Entry>,
}

/// A part of a service's endpoints.
#[derive(Clone, Debug, PartialEq, Block)]
#[block(what = "a subset")]
pub struct Subset {
    /// What targets call it.
    #[field(name, value = text::LABEL)]
    pub name: Spanned<String>,
    /// Endpoints must have all of these.
    #[field(entries)]
    pub labels: Vec<Entry>,
}
