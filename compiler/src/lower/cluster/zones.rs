//! Zone-aware routing: Envoy compares how callers and endpoints are spread over the zones.
//!
//! The callers are a cluster of the bootstrap that nobody dials: every task of every node that calls a service which
//! prefers zones.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use ::envoy::config::bootstrap::v3::Bootstrap;
use ::envoy::config::cluster::v3::Cluster;
use spec::mesh::LocalityMode;

use crate::checked::{CheckedMesh, Id, Node, Service};
use crate::envoy::bootstrap::compare_zones;
use crate::envoy::cluster::{Found, Limits, Towards, towards};
use crate::envoy::endpoint::{Common, Group, WeightedAddress, placed_assignment};
use crate::envoy::names;
use crate::lower::scope::Scope;

/// For a proxy that knows its zone and calls such a service.
pub(in crate::lower) fn lower(scope: &Scope<'_>, clusters: &[std::sync::Arc<Cluster>], bootstrap: &mut Bootstrap) {
    let calls_such = || clusters.iter().any(|cluster| crate::envoy::cluster::is_zone_aware(cluster));
    if scope.at().zone.is_some() && calls_such() {
        compare_zones(bootstrap, scope.shared.callers(|| callers(scope.mesh)));
    }
}

fn callers(mesh: &CheckedMesh) -> Cluster {
    let such: BTreeSet<Id<Service>> =
        mesh.services().filter(|(_, service)| prefers_zones(service)).map(|(id, _)| id).collect();
    let calling = |node: &Node| node.calls.iter().any(|call| leads_to(mesh, call.service, &such));
    let calling: BTreeSet<Id<Node>> = mesh.nodes().filter(|(_, node)| calling(node)).map(|(id, _)| id).collect();
    let mut tasks: BTreeSet<(Option<String>, Option<String>, SocketAddr)> = BTreeSet::new();
    let mut placed: BTreeSet<Id<Node>> = BTreeSet::new();
    for endpoint in mesh.services().flat_map(|(_, service)| &service.endpoints) {
        let Some(node) = endpoint.node.filter(|node| calling.contains(node)) else { continue };
        placed.insert(node);
        let address = SocketAddr::new(endpoint.address.host, endpoint.ingress_port);
        tasks.insert((endpoint.region.clone(), endpoint.zone.clone(), address));
    }
    // A node that serves nothing has no address: it counts as one task all the same.
    let mut elsewhere: Vec<&Node> = calling.difference(&placed).map(|id| mesh.node(*id)).collect();
    elsewhere.sort_by_cached_key(|node| node.name.key());
    for (number, node) in (1..).zip(elsewhere) {
        let at = &node.at;
        let nowhere = SocketAddr::new(IpAddr::V4(Ipv4Addr::from_bits(0x7f00_0000_u32.saturating_add(number))), 1);
        tasks.insert((at.region.clone(), at.zone.clone(), nowhere));
    }
    let mut groups: Vec<Group> = Vec::new();
    for (region, zone, address) in tasks.into_iter().filter(|(_, zone, _)| zone.is_some()) {
        let endpoint = WeightedAddress { address, weight: 1, health_check_port: None };
        match groups.last_mut().filter(|group| group.region == region && group.zone == zone) {
            Some(group) => group.endpoints.push(endpoint),
            None => groups.push(Group { priority: 0, region, zone, endpoints: vec![endpoint] }),
        }
    }
    let name = names::CALLERS_CLUSTER.to_owned();
    towards(Towards {
        found: Found::Said(placed_assignment(&name, &groups, Common::default())),
        name,
        stat_name: None,
        protocol: spec::mesh::Protocol::Http,
        limits: Limits::default(),
        pool: None,
        outliers: None,
        health_check: None,
        checks_bypass_sidecars: false,
        balancing: None,
        transport_socket: None,
    })
}

/// By itself, by a route or as a failover.
fn leads_to(mesh: &CheckedMesh, called: Id<Service>, such: &BTreeSet<Id<Service>>) -> bool {
    let service = mesh.service(called);
    let by_route = service.routes.iter().flat_map(|route| route.destinations());
    let mut others = by_route.chain(service.failover.iter().copied()).map(|to| to.service);
    such.contains(&called) || others.any(|id| such.contains(&id))
}

fn prefers_zones(service: &Service) -> bool {
    let locality = service.load_balancing.as_ref().and_then(|balancing| balancing.locality.as_ref());
    locality.is_some_and(|locality| locality.mode.value == LocalityMode::ZoneAware)
}
