//! AWS's records as ours: of words only those that are read, and only as many as a person would write.

use std::collections::BTreeMap;
use std::net::IpAddr;

use aws_sdk_ecs::types as ecs;
use compiler::import::ecs::{reads_label, reads_tag, reads_variable};
use compiler::observation::{
    self, CloudMapInstance, Cluster, Container, ContainerDefinition, ContainerInstance, NetworkBinding, NetworkMode,
    PortMapping, Task, TaskDefinition,
};

use super::super::Seen;
use crate::read::bounds;

pub(super) fn cluster(cluster: &ecs::Cluster) -> Option<Cluster> {
    let running = cluster.status() != Some("INACTIVE");
    let arn = cluster.cluster_arn()?.to_owned();
    running.then(|| Cluster { name: cluster.cluster_name().unwrap_or(observation::last(&arn)).to_owned(), arn })
}

pub(super) fn task(task: &ecs::Task) -> Option<Seen> {
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let overrides = task.overrides().map(ecs::TaskOverride::container_overrides).unwrap_or_default();
    let environment = overrides.iter().filter_map(|container| {
        let read = pairs(container.environment().iter().map(|pair| (pair.name(), pair.value())), reads_variable);
        (!read.is_empty()).then(|| Some((container.name()?.to_owned(), read)))?
    });
    let mut record = Task {
        arn: task.task_arn()?.to_owned(),
        cluster: text(task.cluster_arn()),
        task_definition: text(task.task_definition_arn()),
        group: text(task.group()),
        last_status: text(task.last_status()),
        desired_status: text(task.desired_status()),
        health_status: text(task.health_status().map(ecs::HealthStatus::as_str)),
        launch_type: text(task.launch_type().map(ecs::LaunchType::as_str)),
        availability_zone: task.availability_zone().map(str::to_owned),
        started_at: task.started_at().and_then(|at| u64::try_from(at.secs()).ok()),
        container_instance: task.container_instance_arn().map(str::to_owned),
        addresses: addresses(task),
        containers: task.containers().iter().filter_map(container).collect(),
        environment: environment.collect(),
        tags: pairs(task.tags().iter().map(|tag| (tag.key(), tag.value())), reads_tag),
        retained: false,
    };
    bounds::task(&mut record);
    Some(Seen { task: record, version: u64::try_from(task.version()).unwrap_or(0) })
}

/// Of its interfaces; where they are not told, of the attachment that makes them.
fn addresses(task: &ecs::Task) -> Vec<IpAddr> {
    let interfaces = task.containers().iter().flat_map(ecs::Container::network_interfaces);
    let interfaces = interfaces.flat_map(|it| [it.private_ipv4_address(), it.ipv6_address()]).flatten();
    let attached = task.attachments().iter().filter(|it| it.r#type() == Some("ElasticNetworkInterface"));
    let details = attached.flat_map(ecs::Attachment::details).filter_map(|detail| match detail.name()? {
        "privateIPv4Address" | "privateIPv6Address" | "IPv6Address" => detail.value(),
        _ => None,
    });
    own_addresses(interfaces.chain(details))
}

/// Each once, IPv4 first.
pub(crate) fn own_addresses<'t>(texts: impl Iterator<Item = &'t str>) -> Vec<IpAddr> {
    let mut addresses: Vec<IpAddr> = Vec::new();
    for address in texts.filter_map(|text| text.parse().ok()) {
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    addresses.sort_by_key(IpAddr::is_ipv6);
    addresses
}

fn container(container: &ecs::Container) -> Option<Container> {
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let binding = |binding: &ecs::NetworkBinding| {
        Some(NetworkBinding {
            container_port: port(binding.container_port())?,
            host_port: port(binding.host_port())?,
            bind_ip: text(binding.bind_ip()),
            protocol: text(binding.protocol().map(ecs::TransportProtocol::as_str)),
        })
    };
    Some(Container {
        name: container.name()?.to_owned(),
        last_status: text(container.last_status()),
        health_status: text(container.health_status().map(ecs::HealthStatus::as_str)),
        network_bindings: container.network_bindings().iter().filter_map(binding).collect(),
    })
}

pub(super) fn task_definition(definition: &ecs::TaskDefinition, tags: &[ecs::Tag]) -> Option<TaskDefinition> {
    let compatible = definition.requires_compatibilities().contains(&ecs::Compatibility::Fargate);
    let mut record = TaskDefinition {
        arn: definition.task_definition_arn()?.to_owned(),
        family: definition.family()?.to_owned(),
        revision: u32::try_from(definition.revision()).ok()?,
        network_mode: match definition.network_mode().map(ecs::NetworkMode::as_str) {
            Some("awsvpc") => NetworkMode::Awsvpc,
            Some("host") => NetworkMode::Host,
            Some("none") => NetworkMode::None,
            None if compatible => NetworkMode::Awsvpc,
            _ => NetworkMode::Bridge,
        },
        containers: definition.container_definitions().iter().filter_map(container_definition).collect(),
        tags: pairs(tags.iter().map(|tag| (tag.key(), tag.value())), reads_tag),
        refused: None,
    };
    bounds::task_definition(&mut record);
    Some(record)
}

fn container_definition(container: &ecs::ContainerDefinition) -> Option<ContainerDefinition> {
    let labels = container.docker_labels().into_iter().flatten().map(|(key, value)| (Some(&**key), Some(&**value)));
    let mapping = |mapping: &ecs::PortMapping| {
        Some(PortMapping {
            container_port: port(mapping.container_port())?,
            host_port: port(mapping.host_port()).unwrap_or(0),
            protocol: mapping.protocol().map(ecs::TransportProtocol::as_str).unwrap_or_default().to_owned(),
            name: mapping.name().unwrap_or_default().to_owned(),
        })
    };
    Some(ContainerDefinition {
        name: container.name()?.to_owned(),
        // ECS takes containers for essential where nothing is said.
        essential: container.essential().unwrap_or(true),
        // `NONE` switches off what the image brings.
        health_check: container
            .health_check()
            .is_some_and(|check| check.command().first().is_none_or(|it| it != "NONE")),
        labels: pairs(labels, reads_label),
        environment: pairs(container.environment().iter().map(|pair| (pair.name(), pair.value())), reads_variable),
        ports: container.port_mappings().iter().filter_map(mapping).collect(),
    })
}

pub(super) fn container_instance(instance: &ecs::ContainerInstance) -> Option<ContainerInstance> {
    let zone = instance.attributes().iter().find(|attribute| attribute.name() == "ecs.availability-zone");
    Some(ContainerInstance {
        arn: instance.container_instance_arn()?.to_owned(),
        ec2_instance_id: instance.ec2_instance_id().unwrap_or_default().to_owned(),
        addresses: Vec::new(),
        availability_zone: zone.and_then(|zone| zone.value()).map(str::to_owned),
    })
}

pub(super) fn cloud_map_instance(
    instance: &aws_sdk_servicediscovery::types::HttpInstanceSummary,
) -> Option<CloudMapInstance> {
    let attributes = instance.attributes().into_iter().flatten().map(|(key, value)| (Some(&**key), Some(&**value)));
    let mut attributes = pairs(attributes, |_| true);
    // AWS allows 30 of 1,024 characters; whoever answers more is not believed.
    attributes.retain(|_, value| value.len() <= bounds::VALUE);
    Some(CloudMapInstance {
        id: instance.instance_id()?.to_owned(),
        attributes,
        health_status: instance.health_status().map(|status| status.as_str()).unwrap_or_default().to_owned(),
    })
}

fn pairs<'p>(
    pairs: impl Iterator<Item = (Option<&'p str>, Option<&'p str>)>,
    reads: impl Fn(&str) -> bool,
) -> BTreeMap<String, String> {
    let read = pairs.filter_map(|(key, value)| Some((key?, value.unwrap_or_default()))).filter(|(key, _)| reads(key));
    read.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

/// None where it is no port, or not yet known.
fn port(port: Option<i32>) -> Option<u16> {
    port.and_then(|port| u16::try_from(port).ok()).filter(|port| *port != 0)
}
