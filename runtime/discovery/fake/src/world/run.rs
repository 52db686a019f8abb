//! Starting tasks: where they run, at which addresses and ports.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use serde::Deserialize;
use serde_json::{Value, json};

use super::definition::{Container, Port};
use super::{Binding, Health, Pace, Status, Task, TaskContainer, World};
use crate::failure::Failure;

/// A task to start.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Run {
    pub cluster: String,
    /// A family, `FAMILY:REVISION` or an ARN.
    pub task_definition: String,
    /// Fargate for `awsvpc` in a cluster without hosts, EC2 otherwise.
    pub launch: Option<Launch>,
    /// Else the next of [`World::addresses`].
    pub address: Option<IpAddr>,
    /// The id of a host; else the one with the fewest tasks.
    pub instance: Option<String>,
    /// Ports at the host by ports of containers, in place of ephemeral ones.
    pub host_ports: BTreeMap<u16, u16>,
    /// Else the host's, or the region's first.
    pub availability_zone: Option<String>,
    pub tags: BTreeMap<String, String>,
    pub overrides: Value,
    /// Else `family:FAMILY`.
    pub group: Option<String>,
    pub started_by: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Launch {
    #[default]
    Fargate,
    Ec2,
}

impl Run {
    pub fn new(cluster: &str, task_definition: &str) -> Self {
        Run { cluster: cluster.to_owned(), task_definition: task_definition.to_owned(), ..Run::default() }
    }

    pub fn at(cluster: &str, task_definition: &str, address: IpAddr) -> Self {
        Run { address: Some(address), ..Run::new(cluster, task_definition) }
    }
}

impl World {
    /// Starts a task. Its id comes back.
    pub fn run_task(&mut self, run: Run) -> Result<String, Failure> {
        let definition = self.definition(&run.task_definition)?;
        let (arn, family) = (definition.arn.clone(), definition.family.clone());
        let (network_mode, containers) = (definition.network_mode().to_owned(), definition.containers());
        let cluster = self.cluster(Some(&run.cluster))?;
        let (cluster_name, has_hosts) = (cluster.name.clone(), !cluster.instances.is_empty());
        let launch = match run.launch {
            Some(launch) => launch,
            None if network_mode == "awsvpc" && run.instance.is_none() && !has_hosts => Launch::Fargate,
            None => Launch::Ec2,
        };
        let instance = match launch {
            Launch::Fargate => None,
            Launch::Ec2 => Some(self.host(&cluster_name, run.instance.as_deref())?),
        };
        let address = (network_mode == "awsvpc").then(|| run.address.unwrap_or_else(|| self.next_address()));
        let (id, now) = (self.id(32), self.tick());
        let containers = containers.into_iter();
        let containers = containers
            .map(|container| {
                let bindings = match (&instance, network_mode.as_str()) {
                    (Some(host), "bridge") => self.bindings(&cluster_name, host, &container, &run.host_ports),
                    _ => Vec::new(),
                };
                let Container { name, image, essential, health_check, .. } = container;
                TaskContainer { name, image, essential, health_check, health: Health::Unknown, bindings }
            })
            .collect();
        let task = Task {
            arn: self.arn("ecs", &format!("task/{cluster_name}/{id}")),
            id: id.clone(),
            cluster: cluster_name.clone(),
            definition: arn,
            group: run.group.unwrap_or_else(|| format!("family:{family}")),
            family,
            network_mode,
            launch,
            started_by: run.started_by,
            status: Status::Provisioning,
            stopping: false,
            containers,
            address,
            hides_interfaces: false,
            availability_zone: run
                .availability_zone
                .unwrap_or_else(|| self.zone_of(&cluster_name, instance.as_deref())),
            instance,
            tags: run.tags,
            overrides: if run.overrides.is_null() { json!({}) } else { run.overrides },
            version: 1,
            created_at: now,
            started_at: None,
            stopped_at: None,
            stopped_reason: None,
        };
        self.cluster_mut(Some(&cluster_name))?.tasks.insert(id.clone(), task);
        if self.pace == Pace::AtOnce {
            self.settle_task(&id);
        }
        Ok(id)
    }

    /// Starts a task like this one and stops this one; the new one's id comes back.
    pub fn replace_task(&mut self, task: &str, address: Option<IpAddr>) -> Result<String, Failure> {
        let old = self.task(task)?.clone();
        let new = self.run_task(Run {
            cluster: old.cluster,
            task_definition: old.definition,
            launch: Some(old.launch),
            address,
            instance: old.instance,
            host_ports: BTreeMap::new(),
            availability_zone: Some(old.availability_zone),
            tags: old.tags,
            overrides: old.overrides,
            group: Some(old.group),
            started_by: old.started_by,
        })?;
        self.stop_task(task, "Scaling activity initiated by deployment")?;
        Ok(new)
    }

    fn next_address(&mut self) -> IpAddr {
        if let Some(address) = self.addresses.pop_front() {
            return address;
        }
        self.counter += 1;
        // Never the first or the last of a network.
        let (network, host) = (self.counter / 254, self.counter % 254 + 1);
        let [.., high, low] = network.to_be_bytes();
        let [.., host] = host.to_be_bytes();
        IpAddr::V4(Ipv4Addr::new(10, high, low, host))
    }

    fn host(&self, cluster: &str, wanted: Option<&str>) -> Result<String, Failure> {
        let none = || Failure::invalid("No Container Instances were found in your cluster.");
        let cluster = self.cluster(Some(cluster))?;
        if let Some(wanted) = wanted {
            let id = super::last(wanted);
            return cluster.instances.contains_key(id).then(|| id.to_owned()).ok_or_else(none);
        }
        let tasks_on = |id: &str| cluster.tasks.values().filter(|task| task.instance.as_deref() == Some(id)).count();
        cluster.instances.keys().min_by_key(|id| tasks_on(id)).cloned().ok_or_else(none)
    }

    fn bindings(
        &mut self,
        cluster: &str,
        host: &str,
        container: &Container,
        given: &BTreeMap<u16, u16>,
    ) -> Vec<Binding> {
        let instance = self.clusters.get_mut(cluster).and_then(|cluster| cluster.instances.get_mut(host));
        let Some(instance) = instance else { return Vec::new() };
        let binding = |port: &Port| Binding {
            container_port: port.container,
            host_port: given.get(&port.container).copied().or(port.host).unwrap_or_else(|| instance.ephemeral_port()),
            bind_ip: "0.0.0.0".to_owned(),
            udp: port.udp,
        };
        container.ports.iter().map(binding).collect()
    }

    fn zone_of(&self, cluster: &str, instance: Option<&str>) -> String {
        let host = instance.and_then(|id| self.clusters.get(cluster)?.instances.get(id));
        host.map_or_else(|| format!("{}a", self.region), |host| host.availability_zone.clone())
    }
}
