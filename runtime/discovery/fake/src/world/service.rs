//! A service of ECS: a task definition of which so many tasks are to run.

use std::net::IpAddr;

use serde::Deserialize;

use super::{Launch, Run, World};
use crate::failure::Failure;

#[derive(Clone, Debug)]
pub struct Service {
    pub arn: String,
    pub name: String,
    pub definition: String,
    pub desired: usize,
    pub launch: Option<Launch>,
    pub created_at: u64,
    /// What its tasks say of who started them.
    pub deployment: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct NewService {
    pub cluster: String,
    pub name: String,
    pub task_definition: String,
    pub desired: usize,
    pub launch: Option<Launch>,
    /// Of its first tasks; the others have the next of [`World::addresses`].
    pub addresses: Vec<IpAddr>,
}

impl World {
    /// Makes a service and starts its tasks, whose ids come back.
    pub fn create_service(&mut self, new: NewService) -> Result<Vec<String>, Failure> {
        let definition = self.definition(&new.task_definition)?.arn.clone();
        let cluster = self.cluster(Some(&new.cluster))?.name.clone();
        if self.cluster(Some(&cluster))?.services.contains_key(&new.name) {
            return Err(Failure::invalid("Creation of service was not idempotent."));
        }
        let service = Service {
            arn: self.arn("ecs", &format!("service/{cluster}/{}", new.name)),
            name: new.name.clone(),
            definition,
            desired: 0,
            launch: new.launch,
            created_at: self.tick(),
            deployment: format!("ecs-svc/{}", u64::from_str_radix(&self.id(15), 16).unwrap_or_default()),
        };
        self.cluster_mut(Some(&cluster))?.services.insert(new.name.clone(), service);
        self.scale(&cluster, &new.name, new.desired, new.addresses)
    }

    /// How many tasks of a service are to run: starts what is missing, and stops the oldest of what is too much. The ids
    /// of those that were started or stopped come back. Of itself a service replaces nothing.
    pub fn set_desired(&mut self, cluster: &str, service: &str, desired: usize) -> Result<Vec<String>, Failure> {
        self.scale(cluster, service, desired, Vec::new())
    }

    /// Replaces every task of a service by one of another task definition. The new ids come back.
    pub fn deploy(&mut self, cluster: &str, service: &str, definition: &str) -> Result<Vec<String>, Failure> {
        let definition = self.definition(definition)?.arn.clone();
        let old = self.tasks_of(cluster, service)?;
        let service_mut = self.service_mut(cluster, service)?;
        service_mut.definition = definition;
        let desired = service_mut.desired;
        let new = self.start(cluster, service, desired, Vec::new())?;
        for task in old {
            self.stop_task(&task, "Scaling activity initiated by deployment")?;
        }
        Ok(new)
    }

    /// Ids of the tasks of a service that are not to stop, the oldest first.
    pub fn tasks_of(&self, cluster: &str, service: &str) -> Result<Vec<String>, Failure> {
        let group = format!("service:{service}");
        let tasks = self.cluster(Some(cluster))?.tasks.values();
        let mut tasks: Vec<_> = tasks.filter(|task| task.group == group && !task.stopping).collect();
        tasks.sort_by_key(|task| task.created_at);
        Ok(tasks.into_iter().map(|task| task.id.clone()).collect())
    }

    fn scale(
        &mut self,
        cluster: &str,
        service: &str,
        desired: usize,
        addresses: Vec<IpAddr>,
    ) -> Result<Vec<String>, Failure> {
        self.service_mut(cluster, service)?.desired = desired;
        let mut running = self.tasks_of(cluster, service)?;
        if running.len() < desired {
            return self.start(cluster, service, desired - running.len(), addresses);
        }
        running.truncate(running.len() - desired);
        for task in &running {
            self.stop_task(task, "Scaling activity initiated by (deployment)")?;
        }
        Ok(running)
    }

    fn start(
        &mut self,
        cluster: &str,
        service: &str,
        count: usize,
        addresses: Vec<IpAddr>,
    ) -> Result<Vec<String>, Failure> {
        let Service { definition, launch, deployment, .. } = self.service_mut(cluster, service)?.clone();
        let mut addresses = addresses.into_iter();
        let mut one = || {
            self.run_task(Run {
                launch,
                address: addresses.next(),
                group: Some(format!("service:{service}")),
                started_by: Some(deployment.clone()),
                ..Run::new(cluster, &definition)
            })
        };
        (0..count).map(|_| one()).collect()
    }

    fn service_mut(&mut self, cluster: &str, service: &str) -> Result<&mut Service, Failure> {
        let found = self.cluster_mut(Some(cluster))?.services.get_mut(super::last(service));
        found.ok_or_else(|| Failure::new("ServiceNotFoundException", "Service not found."))
    }
}
