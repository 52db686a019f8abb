//! What the account has: data that tests change, and that answers are made from.
//!
//! Ids and times are counted, not drawn: the same changes make the same world.

mod cloud_map;
mod definition;
mod instance;
mod run;
mod service;
mod task;

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;

pub use cloud_map::{Instance, Namespace, NamespaceService};
pub use definition::{Container, Definition, Port};
pub(crate) use definition::{tags_json, tags_of, text};
pub use instance::ContainerInstance;
pub use run::{Launch, Run};
pub use service::{NewService, Service};
pub use task::{Binding, Health, Status, Task, TaskContainer};

use crate::failure::Failure;

/// Everything in one account and region.
#[derive(Clone, Debug)]
pub struct World {
    pub account: String,
    pub region: String,
    /// Seconds since 1970; each start and each end of a task takes one.
    pub clock: u64,
    pub pace: Pace,
    pub clusters: BTreeMap<String, Cluster>,
    /// By family, in the order of their revisions.
    pub definitions: BTreeMap<String, Vec<Definition>>,
    /// Of Cloud Map, by name.
    pub namespaces: BTreeMap<String, Namespace>,
    /// What tasks get that are not given an address; without any, addresses of 10.0.0.0/8.
    pub addresses: VecDeque<IpAddr>,
    /// Tokens of pages that were begun under another number have expired.
    pub(crate) token_age: u64,
    counter: u64,
}

/// How tasks come and go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pace {
    /// A task runs as soon as it is started, and healthy, and has stopped as soon as it is to stop.
    #[default]
    AtOnce,
    /// Each step is a call of [`World::advance`].
    ByHand,
}

#[derive(Clone, Debug, Default)]
pub struct Cluster {
    pub name: String,
    pub arn: String,
    pub services: BTreeMap<String, Service>,
    /// By id.
    pub tasks: BTreeMap<String, Task>,
    /// By id.
    pub instances: BTreeMap<String, ContainerInstance>,
}

impl Default for World {
    fn default() -> Self {
        World {
            account: "123456789012".to_owned(),
            region: "eu-central-1".to_owned(),
            clock: 1_790_000_000,
            pace: Pace::AtOnce,
            clusters: BTreeMap::new(),
            definitions: BTreeMap::new(),
            namespaces: BTreeMap::new(),
            addresses: VecDeque::new(),
            token_age: 0,
            counter: 0,
        }
    }
}

impl World {
    /// The ARN of the cluster, which is made if there is none of that name.
    pub fn create_cluster(&mut self, name: &str) -> String {
        let arn = self.arn("ecs", &format!("cluster/{name}"));
        let cluster = || Cluster { name: name.to_owned(), arn: arn.clone(), ..Cluster::default() };
        self.clusters.entry(name.to_owned()).or_insert_with(cluster);
        arn
    }

    /// By name or ARN; nothing means `default`.
    pub fn cluster(&self, name: Option<&str>) -> Result<&Cluster, Failure> {
        self.clusters.get(self.cluster_name(name)?).ok_or_else(Failure::cluster_not_found)
    }

    pub fn cluster_mut(&mut self, name: Option<&str>) -> Result<&mut Cluster, Failure> {
        let name = self.cluster_name(name)?.to_owned();
        self.clusters.get_mut(&name).ok_or_else(Failure::cluster_not_found)
    }

    fn cluster_name<'a>(&self, name: Option<&'a str>) -> Result<&'a str, Failure> {
        let name = name.unwrap_or("default");
        match name.strip_prefix("arn:") {
            None => Ok(name),
            // Another account's or region's cluster is not here.
            Some(_) if !name.starts_with(&self.arn("ecs", "cluster/")) => Err(Failure::cluster_not_found()),
            Some(_) => Ok(name.rsplit('/').next().unwrap_or(name)),
        }
    }

    /// By id or ARN, in whichever cluster it is.
    pub fn task(&self, task: &str) -> Result<&Task, Failure> {
        let id = last(task);
        let found = self.clusters.values().find_map(|cluster| cluster.tasks.get(id));
        found.ok_or_else(|| Failure::invalid("The referenced task was not found."))
    }

    /// For what no function here changes. Whoever does counts its `version` up.
    pub fn task_mut(&mut self, task: &str) -> Result<&mut Task, Failure> {
        let id = last(task);
        let found = self.clusters.values_mut().find_map(|cluster| cluster.tasks.get_mut(id));
        found.ok_or_else(|| Failure::invalid("The referenced task was not found."))
    }

    /// Every task, in the order of clusters and ids.
    pub fn tasks(&self) -> impl Iterator<Item = &Task> {
        self.clusters.values().flat_map(|cluster| cluster.tasks.values())
    }

    /// Whoever is between two pages of a list has to begin again.
    pub fn expire_tokens(&mut self) {
        self.token_age += 1;
    }

    pub(crate) fn arn(&self, service: &str, rest: &str) -> String {
        format!("arn:aws:{service}:{}:{}:{rest}", self.region, self.account)
    }

    /// A new id of `digits` hexadecimal digits, which looks like a random one.
    pub(crate) fn id(&mut self, digits: usize) -> String {
        self.counter += 1;
        let (high, low) = (scatter(self.counter), scatter(self.counter ^ u64::MAX));
        let id = format!("{high:016x}{low:016x}");
        id[..digits.min(id.len())].to_owned()
    }

    pub(crate) fn tick(&mut self) -> u64 {
        self.clock += 1;
        self.clock
    }
}

/// What follows the last `/`.
pub(crate) fn last(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

/// The finaliser of splitmix64: a bijection, so that ids differ as their numbers do.
fn scatter(number: u64) -> u64 {
    let mut bits = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}
