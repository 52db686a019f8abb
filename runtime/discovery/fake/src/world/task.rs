//! A task, and its life from PROVISIONING to STOPPED and to nothing.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::Deserialize;
use serde_json::Value;

use super::{Launch, Pace, World};
use crate::failure::Failure;

#[derive(Clone, Debug)]
pub struct Task {
    pub id: String,
    pub arn: String,
    /// The cluster's name.
    pub cluster: String,
    pub definition: String,
    pub family: String,
    pub network_mode: String,
    pub launch: Launch,
    /// `service:NAME` or `family:NAME`.
    pub group: String,
    pub started_by: Option<String>,
    pub status: Status,
    /// Whether it is to stop.
    pub stopping: bool,
    pub containers: Vec<TaskContainer>,
    /// Its own interface's, with `awsvpc`.
    pub address: Option<IpAddr>,
    /// Whether containers tell their interfaces; some answers have the address only in the attachment.
    pub hides_interfaces: bool,
    /// The id of the host; none on Fargate.
    pub instance: Option<String>,
    pub availability_zone: String,
    pub tags: BTreeMap<String, String>,
    /// As `RunTask` takes it.
    pub overrides: Value,
    /// Counts up with every change.
    pub version: u64,
    pub created_at: u64,
    pub started_at: Option<u64>,
    pub stopped_at: Option<u64>,
    pub stopped_reason: Option<String>,
}

#[derive(Clone, Debug)]
pub struct TaskContainer {
    pub name: String,
    pub image: String,
    pub essential: bool,
    pub health_check: bool,
    pub health: Health,
    /// Told only with `bridge`, while it runs: of `host` and `awsvpc` ECS tells none.
    pub bindings: Vec<Binding>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    pub container_port: u16,
    pub host_port: u16,
    pub bind_ip: String,
    pub udp: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Status {
    Provisioning,
    Pending,
    Activating,
    Running,
    Deactivating,
    Stopping,
    Deprovisioning,
    Stopped,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Health {
    Healthy,
    Unhealthy,
    #[default]
    Unknown,
}

impl World {
    /// The next step of a task's life: to RUNNING, or, once it is to stop, to STOPPED. True if there was one.
    pub fn advance(&mut self, task: &str) -> Result<bool, Failure> {
        let now = self.tick();
        let task = self.task_mut(task)?;
        let next = task.status.next(task.stopping);
        if let Some(next) = next {
            task.enter(next, now);
        }
        Ok(next.is_some())
    }

    /// Advances every task until it runs or has stopped; what has a health check becomes healthy.
    pub fn settle(&mut self) {
        let ids: Vec<String> = self.tasks().map(|task| task.id.clone()).collect();
        for id in ids {
            self.settle_task(&id);
        }
    }

    pub(crate) fn settle_task(&mut self, id: &str) {
        while self.advance(id) == Ok(true) {}
        let Ok(task) = self.task_mut(id) else { return };
        if task.status != Status::Running || task.stopping {
            return;
        }
        let waiting = |container: &&mut TaskContainer| container.health_check && container.health == Health::Unknown;
        let mut changed = false;
        for container in task.containers.iter_mut().filter(waiting) {
            container.health = Health::Healthy;
            changed = true;
        }
        task.version += u64::from(changed);
    }

    /// What ECS says of one container's health check, or of that of every container that has one.
    pub fn set_health(&mut self, task: &str, container: Option<&str>, health: Health) -> Result<(), Failure> {
        let task = self.task_mut(task)?;
        let wanted = |one: &&mut TaskContainer| container.map_or(one.health_check, |name| one.name == name);
        task.containers.iter_mut().filter(wanted).for_each(|container| container.health = health);
        task.version += 1;
        Ok(())
    }

    /// A status out of turn, as a test may want it.
    pub fn set_status(&mut self, task: &str, status: Status) -> Result<(), Failure> {
        let now = self.tick();
        self.task_mut(task)?.enter(status, now);
        Ok(())
    }

    /// The task is to stop: desired STOPPED, and its life goes on towards it.
    pub fn stop_task(&mut self, task: &str, reason: &str) -> Result<(), Failure> {
        let (now, pace) = (self.tick(), self.pace);
        let task = self.task_mut(task)?;
        if task.stopping {
            return Ok(());
        }
        task.stopping = true;
        task.version += 1;
        task.stopped_reason = Some(reason.to_owned());
        if let Some(next) = task.status.next(true) {
            task.enter(next, now);
        }
        let id = task.id.clone();
        if pace == Pace::AtOnce {
            self.settle_task(&id);
        }
        Ok(())
    }

    /// ECS forgets a task an hour after it stopped: from then on it is MISSING. The test says when, whatever its state.
    pub fn forget_task(&mut self, task: &str) -> Result<(), Failure> {
        let (cluster, id) = self.task(task).map(|task| (task.cluster.clone(), task.id.clone()))?;
        self.cluster_mut(Some(&cluster))?.tasks.remove(&id);
        Ok(())
    }

    pub fn tag_task(&mut self, task: &str, key: &str, value: &str) -> Result<(), Failure> {
        let task = self.task_mut(task)?;
        task.tags.insert(key.to_owned(), value.to_owned());
        task.version += 1;
        Ok(())
    }

    /// The address of a task's interface; another task may have had it before.
    pub fn set_address(&mut self, task: &str, address: IpAddr) -> Result<(), Failure> {
        let task = self.task_mut(task)?;
        task.address = Some(address);
        task.version += 1;
        Ok(())
    }
}

impl Task {
    fn enter(&mut self, status: Status, now: u64) {
        self.status = status;
        self.version += 1;
        match status {
            Status::Running => self.started_at = self.started_at.or(Some(now)),
            Status::Stopped => self.stopped_at = Some(now),
            _ => {}
        }
    }

    /// What ECS says of the task: of its essential containers with a check the worst.
    pub fn health(&self) -> Health {
        let checked = self.containers.iter().filter(|container| container.essential && container.health_check);
        let healths: Vec<Health> = checked.map(|container| container.health).collect();
        if healths.contains(&Health::Unhealthy) {
            Health::Unhealthy
        } else if healths.is_empty() || healths.contains(&Health::Unknown) {
            Health::Unknown
        } else {
            Health::Healthy
        }
    }

    /// Whether its interface has an address yet.
    pub(crate) fn is_attached(&self) -> bool {
        self.status >= Status::Pending
    }

    pub(crate) fn desired(&self) -> &'static str {
        if self.stopping { "STOPPED" } else { "RUNNING" }
    }
}

impl Status {
    fn next(self, stopping: bool) -> Option<Status> {
        match (self, stopping) {
            (Status::Provisioning, false) => Some(Status::Pending),
            (Status::Pending, false) => Some(Status::Activating),
            (Status::Activating, false) => Some(Status::Running),
            (Status::Running, false) | (Status::Stopped, _) => None,
            (Status::Running | Status::Activating, true) => Some(Status::Deactivating),
            (Status::Deactivating, _) => Some(Status::Stopping),
            (Status::Stopping | Status::Pending, _) => Some(Status::Deprovisioning),
            (Status::Deprovisioning | Status::Provisioning, _) => Some(Status::Stopped),
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Status::Provisioning => "PROVISIONING",
            Status::Pending => "PENDING",
            Status::Activating => "ACTIVATING",
            Status::Running => "RUNNING",
            Status::Deactivating => "DEACTIVATING",
            Status::Stopping => "STOPPING",
            Status::Deprovisioning => "DEPROVISIONING",
            Status::Stopped => "STOPPED",
        }
    }
}

impl Health {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Health::Healthy => "HEALTHY",
            Health::Unhealthy => "UNHEALTHY",
            Health::Unknown => "UNKNOWN",
        }
    }
}
