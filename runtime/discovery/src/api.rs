//! What is asked of AWS, answered with records. [`aws::Aws`] asks AWS itself; tests have a world of their own.

pub mod aws;
pub mod fault;

use std::collections::BTreeMap;
use std::net::IpAddr;

use compiler::observation::{CloudMapInstance, Cluster, ContainerInstance, Task, TaskDefinition};
pub use fault::{Fault, Kind};

/// As many as AWS takes in one call.
pub const BATCH: usize = 100;

pub type Answer<T> = Result<T, Fault>;

/// One attempt each: whoever calls counts, waits and repeats.
pub trait Api: Send + Sync + 'static {
    /// Such as `eu-central-1`.
    fn region(&self) -> String;

    /// The ARNs of all clusters of the account.
    fn list_clusters(&self, token: Option<&str>) -> impl Future<Output = Answer<Page>> + Send;

    /// Those that exist of at most [`BATCH`] names or ARNs.
    fn describe_clusters(&self, names: &[String]) -> impl Future<Output = Answer<Vec<Cluster>>> + Send;

    /// The ARNs of the tasks of a cluster that are wanted to run.
    fn list_tasks(&self, cluster: &str, token: Option<&str>) -> impl Future<Output = Answer<Page>> + Send;

    /// At most [`BATCH`] tasks of a cluster, with their tags.
    fn describe_tasks(&self, cluster: &str, arns: &[String]) -> impl Future<Output = Answer<Described>> + Send;

    /// One revision, with its tags.
    fn describe_task_definition(&self, arn: &str) -> impl Future<Output = Answer<TaskDefinition>> + Send;

    /// At most [`BATCH`] container instances of a cluster, without addresses; those that are gone are left out.
    fn describe_container_instances(
        &self,
        cluster: &str,
        arns: &[String],
    ) -> impl Future<Output = Answer<Vec<ContainerInstance>>> + Send;

    /// The private addresses of at most [`BATCH`] instances of EC2, IPv4 first; those that are gone are left out.
    fn describe_instances(&self, ids: &[String]) -> impl Future<Output = Answer<Addresses>> + Send;

    /// The instances of a service of Cloud Map, whatever their health.
    fn discover_instances(
        &self,
        namespace: &str,
        service: &str,
    ) -> impl Future<Output = Answer<Vec<CloudMapInstance>>> + Send;

    /// Credentials were refused: the next call comes with new ones.
    fn renew(&self) -> impl Future<Output = ()> + Send {
        async {}
    }
}

/// Addresses by the id of the instance.
pub type Addresses = BTreeMap<String, Vec<IpAddr>>;

/// A part of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    pub arns: Vec<String>,
    /// What the next call has to say, if there is more.
    pub next: Option<String>,
}

/// What became of the tasks that were asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Described {
    pub tasks: Vec<Seen>,
    /// ARNs that ECS does not know, or not any more.
    pub missing: Vec<String>,
}

/// A task as it was at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    pub task: Task,
    /// Counts up with every change; 0 where nobody says. Answers may be older than what is known.
    pub version: u64,
}
