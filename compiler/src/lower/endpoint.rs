//! Where callers find a service: the sidecar before each endpoint.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use super::INGRESS_PORT;
use crate::checked::{Service, Upstream};
use crate::envoy::endpoint::WeightedAddress;

/// What callers dial, in the order of the service's endpoints. Endpoints behind one sidecar are one address with the
/// sum of their weights: Envoy would count a repeated address once.
pub(super) fn remote(service: &Service) -> Vec<WeightedAddress> {
    let health_check_port = service.health_check.as_ref().and_then(|check| check.port);
    let dialled = service.endpoints.iter().map(|endpoint| {
        let port = if endpoint.node.is_some() { INGRESS_PORT } else { endpoint.address.port };
        (SocketAddr::new(endpoint.address.host, port), endpoint.weight)
    });
    summed(dialled, health_check_port)
}

/// What a sidecar dials.
pub(super) fn local(upstreams: &[Upstream], health_check_port: Option<u16>) -> Vec<WeightedAddress> {
    let dialled = upstreams
        .iter()
        .map(|upstream| (SocketAddr::new(upstream.address.host, upstream.address.port), upstream.weight));
    summed(dialled, health_check_port)
}

fn summed(dialled: impl Iterator<Item = (SocketAddr, u32)>, health_check_port: Option<u16>) -> Vec<WeightedAddress> {
    let mut order: BTreeMap<SocketAddr, usize> = BTreeMap::new();
    let mut endpoints: Vec<WeightedAddress> = Vec::new();
    for (address, weight) in dialled {
        let next = endpoints.len();
        let index = *order.entry(address).or_insert(next);
        match endpoints.get_mut(index) {
            Some(known) => known.weight = known.weight.saturating_add(weight),
            None => endpoints.push(WeightedAddress { address, weight, health_check_port }),
        }
    }
    endpoints
}
