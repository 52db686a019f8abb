//! An EC2 instance of a cluster: a host whose ports the tasks on it share.

use std::net::IpAddr;

use super::World;
use crate::failure::Failure;

#[derive(Clone, Debug)]
pub struct ContainerInstance {
    pub arn: String,
    pub ec2_instance_id: String,
    /// Its private addresses; the first is the primary one.
    pub addresses: Vec<IpAddr>,
    pub availability_zone: String,
    /// The next ephemeral port.
    pub(crate) port: u16,
}

/// Where Linux begins to hand out ports.
const FIRST_EPHEMERAL: u16 = 32768;

impl World {
    /// Adds a host with these private addresses to a cluster. Its id comes back.
    pub fn add_instance(&mut self, cluster: &str, addresses: &[IpAddr]) -> Result<String, Failure> {
        let name = self.cluster(Some(cluster))?.name.clone();
        let id = self.id(32);
        let instance = ContainerInstance {
            arn: self.arn("ecs", &format!("container-instance/{name}/{id}")),
            ec2_instance_id: format!("i-{}", self.id(17)),
            addresses: addresses.to_vec(),
            availability_zone: format!("{}a", self.region),
            port: FIRST_EPHEMERAL,
        };
        self.cluster_mut(Some(cluster))?.instances.insert(id.clone(), instance);
        Ok(id)
    }

    /// Takes a host away from its cluster and from EC2; its tasks stay until they are forgotten.
    pub fn remove_instance(&mut self, instance: &str) {
        for cluster in self.clusters.values_mut() {
            cluster.instances.remove(super::last(instance));
        }
    }
}

impl ContainerInstance {
    pub(crate) fn ephemeral_port(&mut self) -> u16 {
        let port = self.port;
        self.port = if port >= 60999 { FIRST_EPHEMERAL } else { port + 1 };
        port
    }
}
