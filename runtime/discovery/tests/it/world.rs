//! An AWS in memory, on tokio's clock: its tasks, its bucket of calls, and every way in which it fails.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use compiler::observation::{
    CloudMapInstance, Cluster, Container, ContainerDefinition, ContainerInstance, NetworkMode, Task, TaskDefinition,
};
use discovery::api::{Addresses, Answer, Api, Described, Fault, Kind, Page, Seen};
use tokio::time::{Instant, sleep};

/// Cheap to clone: clones are the same world.
#[derive(Clone, Default)]
pub(crate) struct World(Arc<Mutex<State>>);

#[derive(Default)]
pub(crate) struct State {
    pub(crate) tasks: BTreeMap<String, Seen>,
    /// Tasks that no list has.
    pub(crate) unlisted: BTreeSet<String>,
    /// Attempts by action.
    pub(crate) calls: BTreeMap<&'static str, u64>,
    pub(crate) throttled: u64,
    /// Calls that all of the account may make: a second, and at once.
    pub(crate) bucket: Option<Bucket>,
    pub(crate) failing: Option<How>,
    /// Of pages of lists, by their number, before they are given.
    pub(crate) page: Option<Mangle>,
    /// Of descriptions of tasks.
    pub(crate) described: Option<Box<dyn FnMut(Described) -> Described + Send>>,
    /// Families whose task definitions cannot be had.
    pub(crate) broken_families: BTreeMap<String, Kind>,
    /// Of task definitions, by their ARN.
    pub(crate) tags: BTreeMap<String, BTreeMap<String, String>>,
    /// The cluster is there, and no list of clusters has it.
    pub(crate) unlisted_cluster: bool,
    /// The cluster is not there.
    pub(crate) no_cluster: bool,
    /// EC2 does not tell where hosts are.
    pub(crate) no_addresses: bool,
    /// How many instances every service of Cloud Map has; it does not exist without.
    pub(crate) instances: Option<u8>,
    pub(crate) renewed: u64,
    started: u32,
}

/// Makes another page of a page, by its number.
type Mangle = Box<dyn FnMut(usize, Page) -> Answer<Page> + Send>;

/// How all calls fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    With(Kind),
    /// No answer ever comes, or not all of it.
    Silence,
}

pub(crate) struct Bucket {
    rate: f64,
    burst: f64,
    tokens: f64,
    filled: Instant,
}

pub(crate) const CLUSTER: &str = "arn:aws:ecs:eu-central-1:1:cluster/default";
const PAGE: usize = 100;

impl World {
    /// So many tasks of services `s0`, `s1`, … with fifty tasks each.
    pub(crate) fn of(tasks: u32) -> Self {
        let world = Self::default();
        for number in 0..tasks {
            world.start(&format!("s{}", number / 50));
        }
        world
    }

    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.0.lock().unwrap())
    }

    /// Starts a task of a service; its ARN.
    pub(crate) fn start(&self, service: &str) -> String {
        self.change(|state| {
            state.started += 1;
            let arn = format!("arn:aws:ecs:eu-central-1:1:task/default/{:032x}", state.started);
            let [_, b, c, d] = state.started.to_be_bytes();
            let task = Task {
                arn: arn.clone(),
                cluster: CLUSTER.to_owned(),
                task_definition: format!("arn:aws:ecs:eu-central-1:1:task-definition/{service}:1"),
                group: format!("service:{service}"),
                last_status: "RUNNING".to_owned(),
                desired_status: "RUNNING".to_owned(),
                health_status: "HEALTHY".to_owned(),
                addresses: vec![[10, b, c, d].into()],
                containers: vec![Container { name: "app".to_owned(), ..Container::default() }],
                ..Task::default()
            };
            state.tasks.insert(arn.clone(), Seen { task, version: 1 });
            arn
        })
    }

    /// ECS ends a task: it says so for a while.
    pub(crate) fn stop(&self, arn: &str) {
        self.change(|state| {
            let seen = state.tasks.get_mut(arn).unwrap();
            seen.version += 1;
            seen.task.last_status = "STOPPED".to_owned();
            seen.task.desired_status = "STOPPED".to_owned();
        });
    }

    /// ECS does not know a task any more.
    pub(crate) fn forget(&self, arn: &str) {
        self.change(|state| state.tasks.remove(arn));
    }

    pub(crate) fn running(&self) -> BTreeSet<String> {
        self.change(|state| {
            let running = state.tasks.values().filter(|seen| seen.task.last_status == "RUNNING");
            running.map(|seen| seen.task.arn.clone()).collect()
        })
    }

    pub(crate) fn calls(&self) -> u64 {
        self.change(|state| state.calls.values().sum())
    }

    pub(crate) fn bucket(&self, rate: f64, burst: f64) {
        self.change(|state| state.bucket = Some(Bucket { rate, burst, tokens: burst, filled: Instant::now() }));
    }

    async fn answer<T>(
        &self,
        action: &'static str,
        latency: u64,
        answer: impl FnOnce(&mut State) -> Answer<T>,
    ) -> Answer<T> {
        sleep(Duration::from_millis(latency)).await;
        let failing = self.change(|state| {
            *state.calls.entry(action).or_default() += 1;
            state.failing
        });
        match failing {
            Some(How::Silence) => std::future::pending().await,
            Some(How::With(kind)) => Err(Fault::new(kind, action, "as the test says")),
            None => self.change(|state| {
                if state.bucket.as_mut().is_some_and(|bucket| !bucket.take()) {
                    state.throttled += 1;
                    return Err(Fault::new(Kind::Throttled, action, "ThrottlingException"));
                }
                answer(state)
            }),
        }
    }
}

impl Bucket {
    fn take(&mut self) -> bool {
        let filled = self.filled.elapsed().as_secs_f64() * self.rate;
        self.tokens = (self.tokens + filled).min(self.burst);
        self.filled = Instant::now();
        let enough = self.tokens >= 1.0;
        self.tokens -= if enough { 1.0 } else { 0.0 };
        enough
    }
}

impl Api for World {
    fn region(&self) -> String {
        "eu-central-1".to_owned()
    }

    async fn renew(&self) {
        self.change(|state| state.renewed += 1);
    }

    async fn list_clusters(&self, _: Option<&str>) -> Answer<Page> {
        self.answer("ListClusters", 40, |state| {
            let listed = !state.unlisted_cluster && !state.no_cluster;
            Ok(Page { arns: listed.then(|| CLUSTER.to_owned()).into_iter().collect(), next: None })
        })
        .await
    }

    async fn describe_clusters(&self, names: &[String]) -> Answer<Vec<Cluster>> {
        let default = names.iter().any(|name| name == "default" || name == CLUSTER);
        let found = default.then(|| Cluster { arn: CLUSTER.to_owned(), name: "default".to_owned() });
        self.answer("DescribeClusters", 40, |state| Ok(found.filter(|_| !state.no_cluster).into_iter().collect())).await
    }

    async fn list_tasks(&self, _: &str, token: Option<&str>) -> Answer<Page> {
        let number: usize = token.map_or(0, |token| token.parse().unwrap());
        self.answer("ListTasks", 60, |state| {
            if state.no_cluster {
                return Err(Fault::new(Kind::Missing, "ListTasks", "ClusterNotFoundException"));
            }
            let listed = state.tasks.values().filter(|seen| seen.task.desired_status == "RUNNING");
            let listed = listed.map(|seen| &seen.task.arn).filter(|arn| !state.unlisted.contains(*arn));
            let mut arns: Vec<String> = listed.skip(number * PAGE).take(PAGE + 1).cloned().collect();
            let next = (arns.len() > PAGE).then(|| (number + 1).to_string());
            arns.truncate(PAGE);
            let page = Page { arns, next };
            match &mut state.page {
                Some(mangle) => mangle(number, page),
                None => Ok(page),
            }
        })
        .await
    }

    async fn describe_tasks(&self, _: &str, arns: &[String]) -> Answer<Described> {
        assert!(arns.len() <= PAGE);
        self.answer("DescribeTasks", 120, |state| {
            let mut described = Described::default();
            for arn in arns {
                match state.tasks.get(arn) {
                    Some(seen) => described.tasks.push(seen.clone()),
                    None => described.missing.push(arn.clone()),
                }
            }
            Ok(match &mut state.described {
                Some(mangle) => mangle(described),
                None => described,
            })
        })
        .await
    }

    async fn describe_task_definition(&self, arn: &str) -> Answer<TaskDefinition> {
        let (family, revision) = compiler::observation::last(arn).rsplit_once(':').unwrap();
        self.answer("DescribeTaskDefinition", 60, |state| {
            if let Some(kind) = state.broken_families.get(family) {
                return Err(Fault::new(*kind, "DescribeTaskDefinition", "as the test says"));
            }
            // Tasks that are on a host have its address.
            let on_host = |seen: &Seen| seen.task.task_definition == arn && seen.task.container_instance.is_some();
            let bridge = state.tasks.values().any(on_host);
            Ok(TaskDefinition {
                arn: arn.to_owned(),
                family: family.to_owned(),
                revision: revision.parse().unwrap(),
                network_mode: if bridge { NetworkMode::Bridge } else { NetworkMode::Awsvpc },
                tags: state.tags.get(arn).cloned().unwrap_or_default(),
                containers: vec![ContainerDefinition { name: "app".to_owned(), ..ContainerDefinition::default() }],
                ..TaskDefinition::default()
            })
        })
        .await
    }

    async fn describe_container_instances(&self, _: &str, arns: &[String]) -> Answer<Vec<ContainerInstance>> {
        let instance = |arn: &String| ContainerInstance {
            arn: arn.clone(),
            ec2_instance_id: format!("i-{}", compiler::observation::last(arn)),
            addresses: Vec::new(),
            availability_zone: None,
        };
        self.answer("DescribeContainerInstances", 80, |_| Ok(arns.iter().map(instance).collect())).await
    }

    async fn describe_instances(&self, ids: &[String]) -> Answer<Addresses> {
        let address = |id: &String| (id.clone(), vec![[10, 200, 0, 1].into()]);
        self.answer("DescribeInstances", 150, |state| match state.no_addresses {
            true => Ok(Addresses::new()),
            false => Ok(ids.iter().map(address).collect()),
        })
        .await
    }

    async fn discover_instances(&self, _: &str, _: &str) -> Answer<Vec<CloudMapInstance>> {
        self.answer("DiscoverInstances", 60, |state| {
            let count =
                state.instances.ok_or_else(|| Fault::new(Kind::Missing, "DiscoverInstances", "ServiceNotFound"))?;
            let instance = |number: u8| CloudMapInstance {
                id: number.to_string(),
                attributes: BTreeMap::new(),
                health_status: "HEALTHY".to_owned(),
            };
            Ok((0..count).map(instance).collect())
        })
        .await
    }
}
