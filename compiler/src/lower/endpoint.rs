//! Where callers find a service: the sidecar before each endpoint.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use ::envoy::config::endpoint::v3::ClusterLoadAssignment;
use spec::mesh::{Dns, LoadBalancingPolicy, LocalityMode};

use super::shared::{Key, Shared};
use crate::checked::{CheckedMesh, Destination, Discovery, Endpoint, Id, Proxy, Service, Situation, Upstream};
use crate::envoy::endpoint::{Common, Group, WeightedAddress, placed_assignment, resolved_assignment};
use crate::envoy::grpc::{self, Shares};
use crate::envoy::names;

/// The endpoints of a service and of each of its subsets, as one proxy is told them. When an endpoint comes or goes,
/// these are all that changes.
///
/// Empty for a service that Envoy itself finds by DNS.
pub fn endpoints_of(
    mesh: &CheckedMesh,
    service: Id<Service>,
    caller: Proxy,
    shared: &Shared,
) -> Vec<Arc<ClusterLoadAssignment>> {
    let declared = mesh.service(service);
    if matches!(declared.discovery, Discovery::Dns(_)) {
        return Vec::new();
    }
    let subsets = (0..declared.subsets.len()).map(Some);
    // `None` means the default subset where there is one.
    let whole = declared.default_subset.is_none().then_some(None);
    let destinations = whole.into_iter().chain(subsets).map(|subset| Destination { service, subset });
    let at = mesh.situation(caller);
    let told = |to| match mesh.is_proxyless(caller) {
        true => grpc_assignment(mesh, shared, at, to),
        false => assignment(mesh, shared, at, to),
    };
    destinations.map(told).collect()
}

/// Whether callers in different places are told different endpoints, or the same in another order.
pub fn endpoints_depend_on_caller(mesh: &CheckedMesh, service: Id<Service>) -> bool {
    locality(mesh.service(service)) == LocalityMode::Failover
}

/// The endpoints of a service or subset, as a caller in this situation is told them.
pub(super) fn assignment(
    mesh: &CheckedMesh,
    shared: &Shared,
    caller: &Situation,
    to: Destination,
) -> Arc<ClusterLoadAssignment> {
    let service = mesh.service(to.service);
    let near = (locality(service) == LocalityMode::Failover).then_some(caller);
    let key = Key {
        name: names::own_endpoints(mesh, to),
        place: near.map(|at| (at.region.clone(), at.zone.clone())),
        transport_socket: Vec::new(),
    };
    shared.endpoints(key.clone(), || {
        let host = service.name.key();
        let common = Common {
            by_place: locality(service) == LocalityMode::Weighted,
            hostname: shared.takes_part_in_failover(mesh, to.service).then_some(host.as_str()),
        };
        placed_assignment(&key.name, &remote(service, to.subset, near), common)
    })
}

/// The same, as gRPC wants to be told.
pub(super) fn grpc_assignment(
    mesh: &CheckedMesh,
    shared: &Shared,
    caller: &Situation,
    to: Destination,
) -> Arc<ClusterLoadAssignment> {
    let service = mesh.service(to.service);
    let near = (locality(service) == LocalityMode::Failover).then_some(caller);
    let key = Key {
        name: names::grpc_endpoints(&names::own_endpoints(mesh, to)),
        place: near.map(|at| (at.region.clone(), at.zone.clone())),
        transport_socket: Vec::new(),
    };
    let policy = service.load_balancing.as_ref().and_then(|balancing| balancing.policy.as_ref());
    let shares = match policy.map(|policy| policy.value) {
        Some(LoadBalancingPolicy::RingHash) => Shares::ByHash,
        _ => Shares::InTurn,
    };
    shared.endpoints(key.clone(), || grpc::assignment(&key.name, &assignment(mesh, shared, caller, to), shares))
}

/// The one endpoint of a service that Envoy resolves.
pub(super) fn resolved(service: &Service, cluster: &str, dns: &Dns) -> ClusterLoadAssignment {
    let address = (dns.address.value.host.as_str(), dns.address.value.port);
    let check_port = service.health_check.as_ref().and_then(|check| check.port);
    resolved_assignment(cluster, address, check_port, &service.name.key())
}

/// What a sidecar dials.
pub(super) fn local(upstreams: &[Upstream], health_check_port: Option<u16>) -> Vec<WeightedAddress> {
    let mut weights: BTreeMap<SocketAddr, u32> = BTreeMap::new();
    for upstream in upstreams {
        let weight = weights.entry(SocketAddr::new(upstream.address.host, upstream.address.port)).or_default();
        *weight = weight.saturating_add(upstream.weight);
    }
    weighted(weights, health_check_port)
}

/// What callers dial, by priority and place; the order of the source means nothing. Endpoints behind one sidecar are
/// one address with the sum of their weights: Envoy would count a repeated address once.
fn remote(service: &Service, subset: Option<usize>, near: Option<&Situation>) -> Vec<Group> {
    let subset = subset.or(service.default_subset).and_then(|index| service.subsets.get(index));
    let check_port = service.health_check.as_ref().and_then(|check| check.port);
    // A sidecar that stands before endpoints of several places is at the first of them.
    let mut dialled: BTreeMap<SocketAddr, (Place<'_>, u32)> = BTreeMap::new();
    for endpoint in service.endpoints.iter().filter(|it| subset.is_none_or(|subset| subset.takes(it))) {
        let port = if endpoint.node.is_some() { endpoint.ingress_port } else { endpoint.address.port };
        let place = (endpoint.priority, distance(endpoint, near), &endpoint.region, &endpoint.zone);
        let known = dialled.entry(SocketAddr::new(endpoint.address.host, port)).or_insert((place, 0));
        *known = (known.0.min(place), known.1.saturating_add(endpoint.weight));
    }
    let mut places: BTreeMap<Place<'_>, BTreeMap<SocketAddr, u32>> = BTreeMap::new();
    for (address, (place, weight)) in dialled {
        places.entry(place).or_default().insert(address, weight);
    }
    let mut groups: Vec<Group> = Vec::new();
    let (mut priority, mut previous) = (0, None);
    for ((said, distance, region, zone), weights) in places {
        // Envoy counts priorities from 0 without a gap.
        priority += u32::from(previous.is_some_and(|previous| previous != (said, distance)));
        previous = Some((said, distance));
        let endpoints = weighted(weights, check_port);
        groups.push(Group { priority, region: region.clone(), zone: zone.clone(), endpoints });
    }
    groups
}

/// In the order in which they are preferred: priority, distance, region, zone.
type Place<'a> = (u32, Distance, &'a Option<String>, &'a Option<String>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Distance {
    SameZone,
    SameRegion,
    Elsewhere,
}

/// Everything is equally far where places are not to be preferred.
fn distance(endpoint: &Endpoint, near: Option<&Situation>) -> Distance {
    let Some(caller) = near else { return Distance::SameZone };
    let same = |its: &Option<String>, ours: &Option<String>| its.is_some() && its == ours;
    if same(&endpoint.zone, &caller.zone) {
        Distance::SameZone
    } else if same(&endpoint.region, &caller.region) {
        Distance::SameRegion
    } else {
        Distance::Elsewhere
    }
}

fn locality(service: &Service) -> LocalityMode {
    let locality = service.load_balancing.as_ref().and_then(|balancing| balancing.locality.as_ref());
    locality.map_or(LocalityMode::Off, |locality| locality.mode.value)
}

fn weighted(weights: BTreeMap<SocketAddr, u32>, health_check_port: Option<u16>) -> Vec<WeightedAddress> {
    let endpoints = weights.into_iter();
    endpoints.map(|(address, weight)| WeightedAddress { address, weight, health_check_port }).collect()
}
