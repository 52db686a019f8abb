//! Namespaces of Cloud Map, their services, and the instances that were registered.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::{Health, World};

#[derive(Clone, Debug)]
pub struct Namespace {
    pub id: String,
    pub arn: String,
    pub name: String,
    /// By name.
    pub services: BTreeMap<String, NamespaceService>,
}

#[derive(Clone, Debug)]
pub struct NamespaceService {
    pub id: String,
    pub arn: String,
    pub name: String,
    /// By id.
    pub instances: BTreeMap<String, Instance>,
}

#[derive(Clone, Debug)]
pub struct Instance {
    pub attributes: BTreeMap<String, String>,
    pub health: Health,
}

impl World {
    /// Registers an instance at an address and a port; its namespace and its service are made if there are none.
    pub fn register_instance(&mut self, namespace: &str, service: &str, id: &str, address: IpAddr, port: u16) {
        let key = if address.is_ipv4() { "AWS_INSTANCE_IPV4" } else { "AWS_INSTANCE_IPV6" };
        let attributes = [(key, address.to_string()), ("AWS_INSTANCE_PORT", port.to_string())];
        let attributes = attributes.map(|(key, value)| (key.to_owned(), value)).into();
        let instance = Instance { attributes, health: Health::Healthy };
        self.namespace_service(namespace, service).instances.insert(id.to_owned(), instance);
    }

    pub fn deregister_instance(&mut self, namespace: &str, service: &str, id: &str) {
        self.namespace_service(namespace, service).instances.remove(id);
    }

    /// The service of that name, which is made if there is none.
    pub fn namespace_service(&mut self, namespace: &str, service: &str) -> &mut NamespaceService {
        let (namespace_id, service_id) = (format!("ns-{}", self.id(16)), format!("srv-{}", self.id(16)));
        let namespace_arn = self.arn("servicediscovery", &format!("namespace/{namespace_id}"));
        let service_arn = self.arn("servicediscovery", &format!("service/{service_id}"));
        let found = self.namespaces.entry(namespace.to_owned()).or_insert_with(|| Namespace {
            id: namespace_id,
            arn: namespace_arn,
            name: namespace.to_owned(),
            services: BTreeMap::new(),
        });
        found.services.entry(service.to_owned()).or_insert_with(|| NamespaceService {
            id: service_id,
            arn: service_arn,
            name: service.to_owned(),
            instances: BTreeMap::new(),
        })
    }
}
