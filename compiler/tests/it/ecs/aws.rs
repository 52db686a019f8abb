//! What AWS says, in few words: definitions, tasks, hosts.

use std::collections::BTreeMap;
use std::net::IpAddr;

use meshwright_compiler::observation::{
    Cluster, Container, ContainerDefinition, ContainerInstance, NetworkBinding, NetworkMode, Observation, PortMapping,
    Task, TaskDefinition,
};

pub(super) const HOST: &str = "arn:aws:ecs:eu-central-1:1:container-instance/prod/h1";

/// A cluster `prod` without tasks, and a host at 10.9.0.1.
pub(super) fn nothing() -> Observation {
    Observation {
        region: "eu-central-1".to_owned(),
        clusters: vec![Cluster { arn: cluster("prod"), name: "prod".to_owned() }],
        container_instances: vec![ContainerInstance {
            arn: HOST.to_owned(),
            ec2_instance_id: "i-1".to_owned(),
            addresses: vec![ip("10.9.0.1")],
            availability_zone: Some("eu-central-1b".to_owned()),
        }],
        ..Observation::default()
    }
}

pub(super) fn observation(definitions: Vec<TaskDefinition>, tasks: Vec<Task>) -> Observation {
    Observation { task_definitions: definitions, tasks, ..nothing() }
}

/// `FAMILY:REVISION` of Fargate, with a container `app` that has these labels and listens on 3000.
pub(super) fn fargate(name: &str, labels: &[(&str, &str)]) -> TaskDefinition {
    let (family, revision) = name.split_once(':').unwrap();
    let container = ContainerDefinition {
        name: "app".to_owned(),
        essential: true,
        labels: map(labels),
        ports: vec![port(3000, 0)],
        ..ContainerDefinition::default()
    };
    TaskDefinition {
        arn: format!("arn:aws:ecs:eu-central-1:1:task-definition/{name}"),
        family: family.to_owned(),
        revision: revision.parse().unwrap(),
        network_mode: NetworkMode::Awsvpc,
        containers: vec![container],
        ..TaskDefinition::default()
    }
}

/// With a container whose ports are 4100 and 4000.
pub(super) fn with_sidecar(mut definition: TaskDefinition) -> TaskDefinition {
    let (name, ports) = ("envoy".to_owned(), vec![port(4100, 0), port(4000, 0)]);
    definition.containers.push(ContainerDefinition { name, ports, ..ContainerDefinition::default() });
    definition
}

/// On EC2, with ephemeral ports of the host.
pub(super) fn bridge(definition: TaskDefinition) -> TaskDefinition {
    TaskDefinition { network_mode: NetworkMode::Bridge, ..definition }
}

pub(super) fn running(id: &str, definition: &TaskDefinition, address: &str) -> Task {
    Task {
        arn: format!("arn:aws:ecs:eu-central-1:1:task/prod/{id}"),
        cluster: cluster("prod"),
        task_definition: definition.arn.clone(),
        last_status: "RUNNING".to_owned(),
        desired_status: "RUNNING".to_owned(),
        availability_zone: Some("eu-central-1a".to_owned()),
        started_at: Some(1000),
        addresses: vec![ip(address)],
        ..Task::default()
    }
}

/// On the host, with `(container, its port, the host's)`.
pub(super) fn on_host(id: &str, definition: &TaskDefinition, bindings: &[(&str, u16, u16)]) -> Task {
    let mut containers: BTreeMap<&str, Container> = BTreeMap::new();
    for (name, container_port, host_port) in bindings {
        let container = containers.entry(name).or_default();
        container.name = (*name).to_owned();
        container.network_bindings.push(NetworkBinding {
            container_port: *container_port,
            host_port: *host_port,
            bind_ip: "0.0.0.0".to_owned(),
            protocol: "tcp".to_owned(),
        });
    }
    Task {
        addresses: Vec::new(),
        container_instance: Some(HOST.to_owned()),
        containers: containers.into_values().collect(),
        ..running(id, definition, "10.0.0.1")
    }
}

pub(super) fn map(entries: &[(&str, &str)]) -> BTreeMap<String, String> {
    entries.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

pub(super) fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn cluster(name: &str) -> String {
    format!("arn:aws:ecs:eu-central-1:1:cluster/{name}")
}

fn port(container_port: u16, host_port: u16) -> PortMapping {
    PortMapping { container_port, host_port, protocol: "tcp".to_owned(), name: String::new() }
}
