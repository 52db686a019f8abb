//! Addresses, and the endpoints of a cluster.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use envoy::config::core::v3::{Address, Locality, SocketAddress, address, socket_address::PortSpecifier};
use envoy::config::endpoint::v3::{
    ClusterLoadAssignment, Endpoint, LbEndpoint, LocalityLbEndpoints, endpoint::HealthCheckConfig,
    lb_endpoint::HostIdentifier,
};

/// One endpoint of a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WeightedAddress {
    pub address: SocketAddr,
    /// At least 1.
    pub weight: u32,
    /// Where health checks go, when not to the address itself.
    pub health_check_port: Option<u16>,
}

/// Endpoints of one priority and place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Group {
    pub priority: u32,
    pub region: Option<String>,
    pub zone: Option<String>,
    pub endpoints: Vec<WeightedAddress>,
}

/// What holds for all endpoints of a cluster.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Common<'a> {
    /// Places share requests by the sums of their endpoints' weights.
    pub by_place: bool,
    /// The `Host` of requests, where the route leaves it to the endpoint.
    pub hostname: Option<&'a str>,
}

pub(crate) fn address(host: IpAddr, port: u16) -> Address {
    // `::` takes callers of both families.
    socket_address(host.to_string(), port, host == IpAddr::V6(Ipv6Addr::UNSPECIFIED))
}

pub(crate) fn load_assignment(cluster: &str, endpoints: &[WeightedAddress]) -> ClusterLoadAssignment {
    let group = Group { endpoints: endpoints.to_vec(), ..Default::default() };
    ClusterLoadAssignment {
        cluster_name: cluster.to_owned(),
        endpoints: vec![locality(&group, Common::default())],
        ..Default::default()
    }
}

pub(crate) fn placed_assignment(cluster: &str, groups: &[Group], common: Common<'_>) -> ClusterLoadAssignment {
    ClusterLoadAssignment {
        cluster_name: cluster.to_owned(),
        endpoints: groups.iter().map(|group| locality(group, common)).collect(),
        ..Default::default()
    }
}

/// A name that Envoy resolves; requests carry `host`, where the route leaves it to the endpoint.
pub(crate) fn resolved_assignment(
    cluster: &str,
    (name, port): (&str, u16),
    health_check_port: Option<u16>,
    host: &str,
) -> ClusterLoadAssignment {
    let endpoint = lb_endpoint(socket_address(name.to_owned(), port, false), health_check_port, Some(host));
    let locality = LocalityLbEndpoints { lb_endpoints: vec![endpoint], ..Default::default() };
    ClusterLoadAssignment { cluster_name: cluster.to_owned(), endpoints: vec![locality], ..Default::default() }
}

fn locality(group: &Group, common: Common<'_>) -> LocalityLbEndpoints {
    let endpoints = group.endpoints.iter().map(|endpoint| LbEndpoint {
        load_balancing_weight: Some(endpoint.weight),
        ..lb_endpoint(
            address(endpoint.address.ip(), endpoint.address.port()),
            endpoint.health_check_port,
            common.hostname,
        )
    });
    let place = (group.region.is_some() || group.zone.is_some()).then(|| Locality {
        region: group.region.clone().unwrap_or_default(),
        zone: group.zone.clone().unwrap_or_default(),
        ..Default::default()
    });
    let weight = group.endpoints.iter().fold(0_u32, |sum, endpoint| sum.saturating_add(endpoint.weight));
    LocalityLbEndpoints {
        locality: place,
        lb_endpoints: endpoints.collect(),
        load_balancing_weight: common.by_place.then_some(weight),
        priority: group.priority,
        ..Default::default()
    }
}

fn lb_endpoint(address: Address, health_check_port: Option<u16>, hostname: Option<&str>) -> LbEndpoint {
    let health_check_config =
        health_check_port.map(|port| HealthCheckConfig { port_value: u32::from(port), ..Default::default() });
    let message = Endpoint {
        address: Some(address),
        health_check_config,
        hostname: hostname.unwrap_or_default().to_owned(),
        ..Default::default()
    };
    LbEndpoint { host_identifier: Some(HostIdentifier::Endpoint(message)), ..Default::default() }
}

fn socket_address(host: String, port: u16, ipv4_compat: bool) -> Address {
    Address {
        address: Some(address::Address::SocketAddress(SocketAddress {
            address: host,
            port_specifier: Some(PortSpecifier::PortValue(u32::from(port))),
            ipv4_compat,
            ..Default::default()
        })),
    }
}
