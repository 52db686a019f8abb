//! What AWS said at one moment: records of tasks and what they were started from, without any meaning.
//!
//! [`write`](text::write) makes a text of it, one record a line, that `discover --record` keeps and every command reads again:
//! the same observation, the same bytes. Names are AWS's own.

pub mod text;

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// Everything of one read. Each list is in the order of its records' keys (ARN, id, or namespace and service).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observation {
    /// Such as `eu-central-1`.
    pub region: String,
    pub clusters: Vec<Cluster>,
    pub task_definitions: Vec<TaskDefinition>,
    pub container_instances: Vec<ContainerInstance>,
    pub tasks: Vec<Task>,
    pub cloud_map: Vec<CloudMapService>,
}

/// A cluster that was read whole.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Cluster {
    pub arn: String,
    pub name: String,
}

/// One revision of a family; it never changes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TaskDefinition {
    pub arn: String,
    pub family: String,
    pub revision: u32,
    #[serde(default)]
    pub network_mode: NetworkMode,
    pub containers: Vec<ContainerDefinition>,
    /// Those that [`crate::import::ecs`] reads.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// Why its words were not recorded: they are too many or too long. Whoever reads it leaves its tasks out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NetworkMode {
    /// The task has an interface of its own; the only one of Fargate.
    Awsvpc,
    /// Ports of containers are mapped to ports of the host, often ephemeral ones. What ECS takes where nothing is said on
    /// EC2.
    #[default]
    Bridge,
    /// Containers have the host's own ports.
    Host,
    /// No network.
    None,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ContainerDefinition {
    pub name: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub essential: bool,
    /// Whether ECS checks its health.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub health_check: bool,
    /// Docker labels: those that [`crate::import::ecs`] reads.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Variables: those that [`crate::import::ecs`] reads, never another one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub environment: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ports: Vec<PortMapping>,
}

/// A port that a container listens on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PortMapping {
    pub container_port: u16,
    /// 0: an ephemeral one.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub host_port: u16,
    /// `tcp` where it is empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub protocol: String,
    /// What ECS Service Connect calls it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
}

/// An EC2 instance of a cluster, as ECS and EC2 know it. Fargate has none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ContainerInstance {
    pub arn: String,
    pub ec2_instance_id: String,
    /// Its private addresses, IPv4 first.
    pub addresses: Vec<IpAddr>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub availability_zone: Option<String>,
}

/// A task that ECS wants to run, or is ending.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Task {
    pub arn: String,
    /// The ARN of its cluster.
    pub cluster: String,
    /// The ARN of its task definition.
    pub task_definition: String,
    /// `service:NAME` for tasks of a service.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub group: String,
    /// `PROVISIONING`, `PENDING`, `ACTIVATING`, `RUNNING`, `DEACTIVATING`, `STOPPING`, `DEPROVISIONING`, `STOPPED`.
    pub last_status: String,
    /// `RUNNING` or `STOPPED`.
    pub desired_status: String,
    /// `HEALTHY`, `UNHEALTHY` or `UNKNOWN`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub health_status: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub launch_type: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub availability_zone: Option<String>,
    /// Seconds since 1970 when its containers were there; of tasks with one address the newest has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<u64>,
    /// The ARN of the container instance; none on Fargate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container_instance: Option<String>,
    /// Of its own network interface, IPv4 first; none but with `awsvpc`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<IpAddr>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub containers: Vec<Container>,
    /// Variables that its start replaced, by container: those that are read.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub environment: BTreeMap<String, BTreeMap<String, String>>,
    /// Those that are read.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// It was not seen in the newest read, and is kept because too much vanished at once.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub retained: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Container {
    pub name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub last_status: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub health_status: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub network_bindings: Vec<NetworkBinding>,
}

/// A container's port at its host.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NetworkBinding {
    pub container_port: u16,
    pub host_port: u16,
    /// `0.0.0.0`, `::` or one address.
    #[serde(default, skip_serializing_if = "String::is_empty", rename = "bindIP")]
    pub bind_ip: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub protocol: String,
}

/// A service of Cloud Map that the mesh names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CloudMapService {
    pub namespace: String,
    pub service: String,
    /// In the order of their ids.
    pub instances: Vec<CloudMapInstance>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CloudMapInstance {
    pub id: String,
    pub attributes: BTreeMap<String, String>,
    /// `HEALTHY`, `UNHEALTHY` or `UNKNOWN`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub health_status: String,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_zero(port: &u16) -> bool {
    *port == 0
}

impl Task {
    /// What follows the last `/` of its ARN.
    pub fn id(&self) -> &str {
        last(&self.arn)
    }

    /// The name of the ECS service that started it.
    pub fn service(&self) -> Option<&str> {
        self.group.strip_prefix("service:")
    }
}

/// What follows the last `/` of an ARN; a name as it is.
pub fn last(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

impl Observation {
    /// Puts every list, and every list in it, in its order.
    pub fn sort(&mut self) {
        self.clusters.sort();
        self.task_definitions.sort_by(|one, other| one.arn.cmp(&other.arn));
        self.container_instances.sort();
        self.tasks.sort_by(|one, other| one.arn.cmp(&other.arn));
        self.cloud_map.sort();
        for task in &mut self.tasks {
            task.containers.sort_by(|one, other| one.name.cmp(&other.name));
            task.containers.iter_mut().for_each(|container| container.network_bindings.sort());
        }
        for definition in &mut self.task_definitions {
            definition.containers.iter_mut().for_each(|container| container.ports.sort());
        }
        self.cloud_map.iter_mut().for_each(|service| service.instances.sort());
    }
}
