//! What is known between reads.

use std::collections::BTreeMap;

use compiler::observation::{Cluster, ContainerInstance, Observation, Task, TaskDefinition};
use tokio::time::Instant;

use super::Whole;
use crate::api::Seen;

/// Of versions that are over, so many are remembered: events come late.
const ENDED: usize = 20_000;
/// Task definitions of which no task is left are remembered up to this many.
const DEFINITIONS: usize = 4_096;

/// Tasks as they were last published; task definitions and hosts for ever.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    pub tasks: Tasks,
    pub(crate) clusters: BTreeMap<String, Cluster>,
    pub(crate) definitions: BTreeMap<String, TaskDefinition>,
    /// With when they were read.
    pub(crate) instances: BTreeMap<String, (ContainerInstance, Instant)>,
    /// Families with a revision that cannot be read: in how many reads already.
    pub(crate) unread: BTreeMap<String, u32>,
    /// The task definition whose tags were looked at last.
    pub(crate) turn: Option<String>,
    /// Hosts of running tasks that have no address: in how many reads already.
    pub(crate) homeless: BTreeMap<String, u32>,
}

/// What is known of tasks, by ARN. The highest version wins, wherever it comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tasks {
    pub known: BTreeMap<String, Seen>,
    /// Those that have stopped, with the version that said so: what is older is not believed any more.
    pub ended: BTreeMap<String, u64>,
}

/// What an answer or an event adds to what is known of a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Newest {
    Runs(Box<Seen>),
    Ended(u64),
}

impl Tasks {
    /// What is right, given what is known: answers of ECS may be older than what it said before.
    pub fn newest(&self, seen: Seen) -> Newest {
        if let Some(ended) = self.ended.get(&seen.task.arn).filter(|ended| seen.version <= **ended && **ended > 0) {
            return Newest::Ended(*ended);
        }
        let known = self.known.get(&seen.task.arn).filter(|known| known.version > seen.version);
        let mut newest = known.cloned().unwrap_or(seen);
        // Whatever was thought of it: it was seen now.
        newest.task.retained = false;
        match newest.task.last_status.as_str() {
            "STOPPED" | "DELETED" => Newest::Ended(newest.version),
            _ => Newest::Runs(Box::new(newest)),
        }
    }

    /// Remembers the newest of a task.
    pub fn keep(&mut self, arn: String, newest: Newest) {
        match newest {
            Newest::Runs(seen) => drop(self.known.insert(arn, *seen)),
            Newest::Ended(version) => {
                self.known.remove(&arn);
                self.ended.insert(arn, version);
                while self.ended.len() > ENDED {
                    self.ended.pop_first();
                }
            }
        }
    }
}

impl Memory {
    /// Begins with what was published before a restart, so that what stopped meanwhile is asked for.
    pub fn of(observation: &Observation) -> Self {
        let mut memory = Self::default();
        let known = |task: &Task| {
            let task = Task { retained: false, ..task.clone() };
            (task.arn.clone(), Seen { task, version: 0 })
        };
        memory.tasks.known = observation.tasks.iter().map(known).collect();
        memory.definitions = observation.task_definitions.iter().map(|it| (it.arn.clone(), it.clone())).collect();
        let now = Instant::now();
        let hosts = observation.container_instances.iter();
        memory.instances = hosts.map(|it| (it.arn.clone(), (it.clone(), now))).collect();
        memory
    }

    /// Takes over what is published now: the tasks of a read, and those that are kept though they vanished.
    pub(crate) fn published(&mut self, whole: &Whole, known: BTreeMap<String, Seen>) {
        for (arn, version) in &whole.ended {
            self.tasks.keep(arn.clone(), Newest::Ended(*version));
        }
        self.tasks.known = known;
        self.instances.retain(|arn, _| whole.instances.contains_key(arn));
        if self.definitions.len() > DEFINITIONS {
            self.definitions.retain(|arn, _| whole.definitions.contains_key(arn));
        }
    }
}

/// Whether it is wanted and runs.
pub fn runs(task: &Task) -> bool {
    task.last_status == "RUNNING" && task.desired_status == "RUNNING"
}
