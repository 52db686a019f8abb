//! Addresses, and the endpoints of a cluster.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use envoy::config::core::v3::{Address, SocketAddress, address, socket_address::PortSpecifier};
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

pub(crate) fn address(host: IpAddr, port: u16) -> Address {
    Address {
        address: Some(address::Address::SocketAddress(SocketAddress {
            address: host.to_string(),
            port_specifier: Some(PortSpecifier::PortValue(u32::from(port))),
            // `::` takes callers of both families.
            ipv4_compat: host == IpAddr::V6(Ipv6Addr::UNSPECIFIED),
            ..Default::default()
        })),
    }
}

pub(crate) fn load_assignment(cluster: &str, endpoints: &[WeightedAddress]) -> ClusterLoadAssignment {
    let locality =
        LocalityLbEndpoints { lb_endpoints: endpoints.iter().map(lb_endpoint).collect(), ..Default::default() };
    ClusterLoadAssignment { cluster_name: cluster.to_owned(), endpoints: vec![locality], ..Default::default() }
}

fn lb_endpoint(endpoint: &WeightedAddress) -> LbEndpoint {
    let health_check_config =
        endpoint.health_check_port.map(|port| HealthCheckConfig { port_value: u32::from(port), ..Default::default() });
    let message = Endpoint {
        address: Some(address(endpoint.address.ip(), endpoint.address.port())),
        health_check_config,
        ..Default::default()
    };
    LbEndpoint {
        load_balancing_weight: Some(endpoint.weight),
        host_identifier: Some(HostIdentifier::Endpoint(message)),
        ..Default::default()
    }
}
