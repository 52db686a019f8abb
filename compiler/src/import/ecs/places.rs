//! Where services run whose place the mesh leaves to ECS or to Cloud Map.

use std::collections::BTreeSet;
use std::net::IpAddr;

use spec::mesh::{Address, CloudMap, Ecs, EcsDiscovery, Endpoint, IpFamily};
use spec::{Name, Spanned};

use super::Options;
use super::owners::is_cluster;
use super::quarantine::LeftOut;
use super::world::RunningTask;
use crate::check::hosts::{self, Kind};
use crate::lower::{ADMIN_PORT, EGRESS_PORT, INGRESS_PORT, PROMETHEUS_PORT};
use crate::observation::text::Located;
use crate::observation::{CloudMapInstance, TaskDefinition, last};

/// What a sidecar's container maps is not where the application listens.
const SIDECAR_PORTS: [u16; 6] = [INGRESS_PORT, EGRESS_PORT, PROMETHEUS_PORT, ADMIN_PORT, 15_000, 15_001];

/// Why it is not clear where a task listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unclear {
    Several,
    None,
}

/// The cluster of services that say none: the only one that the mesh names, else the one that ECS calls so.
pub(crate) fn usual_cluster(ecs: Option<&Ecs>) -> &str {
    match ecs.map_or(&[][..], |ecs| &ecs.clusters) {
        [only] if only.value != "*" => &only.value,
        _ => "default",
    }
}

/// Whether a task is one of those whom a service's `ecs` means; `usual` is the cluster where none is said.
pub(crate) fn is_meant(ecs: &EcsDiscovery, usual: &str, task: &RunningTask<'_>) -> bool {
    let cluster = ecs.cluster.as_ref().map_or(usual, |cluster| cluster.value.as_str());
    let service = ecs.service.as_ref().is_none_or(|service| task.task.service() == Some(last(&service.value)));
    let family = ecs.family.as_ref().is_none_or(|family| task.definition.family == family.value);
    let said = ecs.service.is_some() || ecs.family.is_some();
    said && service && family && is_cluster(cluster, &task.task.cluster)
}

/// The container and its port that listen: as said, else the only ones that are mapped.
pub(crate) fn listens(
    container: Option<&str>,
    port: Option<u16>,
    definition: &TaskDefinition,
) -> Result<(String, u16), Unclear> {
    let meant = definition.containers.iter().filter(|it| container.is_none_or(|container| it.name == container));
    let mapped = meant.clone().flat_map(|it| it.ports.iter().map(move |mapping| (it.name.as_str(), mapping)));
    let tcp = mapped.filter(|(_, mapping)| mapping.protocol.is_empty() || mapping.protocol == "tcp");
    let mapped: BTreeSet<(&str, u16)> = tcp
        .map(|(name, mapping)| (name, mapping.container_port))
        .filter(|(_, mapped)| port.map_or(!SIDECAR_PORTS.contains(mapped), |port| port == *mapped))
        .collect();
    let mut mapped = mapped.into_iter();
    match (mapped.next(), mapped.next(), port) {
        (Some((name, port)), None, _) => Ok((name.to_owned(), port)),
        (Some(_), Some(_), _) => Err(Unclear::Several),
        // With an interface of its own, a port needs no mapping.
        (None, _, Some(port)) => {
            let essential = meant.clone().find(|it| it.essential);
            essential.or_else(|| meant.clone().next()).map(|it| (it.name.clone(), port)).ok_or(Unclear::None)
        }
        (None, ..) => Err(Unclear::None),
    }
}

/// The instances of Cloud Map, without those that are unhealthy or that nobody may dial.
pub(crate) fn instances(
    cloud_map: &CloudMap,
    observed: &Located,
    options: &Options,
    left_out: &LeftOut,
) -> Vec<Endpoint> {
    let meant =
        |namespace: &str, service: &str| namespace == cloud_map.namespace.value && service == cloud_map.service.value;
    let there = observed.cloud_map.iter().filter(|it| !left_out.has(it.span));
    let services = there.filter(|it| meant(&it.value.namespace, &it.value.service));
    let mut endpoints: Vec<Endpoint> = Vec::new();
    let mut seen = BTreeSet::new();
    for service in services {
        let mut instances: Vec<&CloudMapInstance> = service.value.instances.iter().collect();
        instances.sort_by(|one, other| one.id.cmp(&other.id));
        for instance in instances.into_iter().filter(|it| it.health_status != "UNHEALTHY" && has_all(cloud_map, it)) {
            let Some(address) = address(cloud_map, instance).filter(|it| may_be_dialled(it.host, options)) else {
                continue;
            };
            if !seen.insert(address.clone()) {
                continue;
            }
            let mut endpoint = Endpoint::at(Spanned::new(address, service.span));
            let label = |key| instance.attributes.get(key).and_then(|value: &String| place(value));
            endpoint.zone = label("AVAILABILITY_ZONE").map(|zone| Spanned::new(zone, service.span));
            endpoint.region = label("REGION").map(|region| Spanned::new(region, service.span));
            endpoints.push(endpoint);
        }
    }
    endpoints.sort_by(|one, other| one.address.value.cmp(&other.address.value));
    endpoints
}

/// A zone or a region, if it can be one.
pub(crate) fn place(text: &str) -> Option<String> {
    let valid = Name::new(text).is_some() && !text.contains('/') && text.len() <= 64;
    valid.then(|| text.to_owned())
}

fn may_be_dialled(host: IpAddr, options: &Options) -> bool {
    match hosts::of_address(host) {
        Kind::Ordinary => true,
        Kind::Loopback => options.tasks_here,
        Kind::Metadata | Kind::LinkLocal | Kind::Nowhere => false,
    }
}

fn has_all(cloud_map: &CloudMap, instance: &CloudMapInstance) -> bool {
    cloud_map.attributes.iter().all(|wanted| instance.attributes.get(&wanted.key.value) == Some(&wanted.value.value))
}

fn address(cloud_map: &CloudMap, instance: &CloudMapInstance) -> Option<Address> {
    let host = |key: &str| instance.attributes.get(key)?.parse::<IpAddr>().ok();
    let (v4, v6) = (host("AWS_INSTANCE_IPV4"), host("AWS_INSTANCE_IPV6"));
    let host = match cloud_map.ip.as_ref().map_or(IpFamily::V4Only, |ip| ip.value) {
        IpFamily::V4Only => v4,
        IpFamily::V6Only => v6,
        IpFamily::V4Preferred => v4.or(v6),
        IpFamily::V6Preferred => v6.or(v4),
    }?;
    let said = instance.attributes.get("AWS_INSTANCE_PORT").and_then(|port| port.parse::<u16>().ok());
    let port = said.or(cloud_map.port.as_ref().map(|port| port.value)).filter(|port| *port != 0)?;
    Some(Address { host, port })
}
