//! Reads one moment after the other, and remembers between them. [`start`](super::start) does it for ever.

use std::collections::{BTreeMap, BTreeSet};

use compiler::import::ecs::Wants;
use compiler::observation::{Cluster, Observation, Task, last};
use tokio::time::Instant;

use super::Options;
use crate::api::{Answer, Api, Seen};
use crate::back_off::BackOff;
use crate::budget::Budget;
use crate::calls::{Calls, OnProgress, Progress};
use crate::metrics::Metrics;
use crate::preserve::Preserve;
use crate::preserve::cloud_map::Instances;
use crate::read::{Memory, Whole, read};

/// What lasts from read to read.
#[derive(Debug)]
pub struct Reader {
    pub memory: Memory,
    pub preserve: Preserve,
    pub(crate) budget: Budget,
    pub(crate) back_off: BackOff,
    pub(crate) random: fastrand::Rng,
    pub(crate) metrics: Metrics,
    instances: Instances,
    failing: bool,
}

/// A moment, with what could not be read of it.
#[derive(Clone, Debug, Default)]
pub struct Moment {
    pub observation: Observation,
    /// Families with a task definition that cannot be read: tasks of that revision are left out.
    pub unread: BTreeSet<String>,
    /// What is wanted and cannot be had, or is not believed, one line each: it stays as it was.
    pub missing: BTreeSet<String>,
}

impl Reader {
    pub fn new(options: &Options) -> Self {
        Self {
            memory: options.known.as_ref().map(Memory::of).unwrap_or_default(),
            preserve: Preserve::default(),
            instances: options.known.as_ref().map(Instances::of).unwrap_or_default(),
            budget: Budget::new(options.calls_per_second),
            back_off: BackOff::default(),
            random: fastrand::Rng::with_seed(options.seed),
            metrics: Metrics::default(),
            failing: false,
        }
    }

    /// One whole moment, or why there is none; and the calls it took. A read that fails changes nothing that is known.
    pub async fn read<A: Api>(&mut self, api: &A, wants: &Wants, progress: OnProgress) -> (Answer<Moment>, Progress) {
        let mut calls = Calls {
            budget: &mut self.budget,
            random: &mut self.random,
            metrics: &self.metrics,
            progress,
            so_far: Progress::default(),
            probing: self.failing,
        };
        let answer = read(api, wants, &mut self.memory, &mut calls).await;
        let so_far = calls.so_far;
        self.failing = answer.is_err();
        match &answer {
            Ok(_) => self.back_off.succeeded(Instant::now()),
            Err(_) => self.preserve.hold(),
        }
        (answer.map(|whole| self.judge(api.region(), whole)), so_far)
    }

    /// Decides about what vanished, and remembers what is known now.
    fn judge(&mut self, region: String, mut whole: Whole) -> Moment {
        if self.preserve.is_released() {
            whole.kept.clear();
        }
        let (services, kept) = self.instances.judge(&whole.cloud_map, &whole.absent, self.preserve.is_released());
        whole.cloud_map = services;
        whole.missing.extend(kept);
        let read = whole.clusters.iter().map(|cluster| &cluster.arn);
        let clusters: BTreeSet<&str> = read.chain(&whole.lost).map(String::as_str).collect();
        let before = self.memory.tasks.known.values().map(|known| &known.task);
        // Of clusters that are not wanted any more nothing is missed.
        let before = before.filter(|task| clusters.contains(task.cluster.as_str()));
        let before: BTreeMap<String, &Task> = before.map(|task| (task.arn.clone(), task)).collect();
        let verdict = self.preserve.judge(&before, &whole.vanished);
        let mut known = whole.seen.clone();
        let waiting = verdict.waiting.iter().map(|arn| (arn, false));
        let retained = verdict.retained.iter().chain(&whole.kept).map(|arn| (arn, true));
        for (arn, retained) in waiting.chain(retained) {
            if let Some(Seen { task, version }) = self.memory.tasks.known.get(arn) {
                known.insert(arn.clone(), Seen { task: Task { retained, ..task.clone() }, version: *version });
            }
        }
        self.memory.published(&whole, known);
        let observation = observation(region, &whole, &self.memory);
        Moment { observation, unread: whole.unread, missing: whole.missing }
    }
}

/// With the task definitions and hosts that its tasks need, and no others.
fn observation(region: String, whole: &Whole, memory: &Memory) -> Observation {
    let tasks: Vec<Task> = memory.tasks.known.values().map(|seen| seen.task.clone()).collect();
    let used: BTreeSet<&str> = tasks.iter().map(|task| task.task_definition.as_str()).collect();
    let definitions = whole.definitions.iter().filter(|(arn, _)| used.contains(arn.as_str()));
    let hosts: BTreeSet<&str> = tasks.iter().filter_map(|task| task.container_instance.as_deref()).collect();
    let read: BTreeSet<&str> = whole.clusters.iter().map(|cluster| cluster.arn.as_str()).collect();
    let left: BTreeSet<&str> = tasks.iter().map(|task| task.cluster.as_str()).filter(|it| !read.contains(it)).collect();
    let left = left.into_iter().map(|arn| Cluster { arn: arn.to_owned(), name: last(arn).to_owned() });
    let mut observation = Observation {
        region,
        clusters: whole.clusters.iter().cloned().chain(left).collect(),
        task_definitions: definitions.map(|(_, definition)| definition.clone()).collect(),
        container_instances: whole.instances.values().filter(|it| hosts.contains(it.arn.as_str())).cloned().collect(),
        cloud_map: whole.cloud_map.clone(),
        tasks,
    };
    observation.sort();
    observation
}
