//! Self-preservation: when much vanishes at once and nobody said that it stopped, it is kept, for a while.
//!
//! A task that ECS calls stopped is believed at once. A task that ECS does not know any more is gone in the second whole
//! read that says so; but if more than 15 % of all running tasks vanish (Eureka's threshold), or all of a service or family
//! with more than two, they are kept until they come back, stop, three whole reads agree, or somebody releases them.

pub mod cloud_map;

use std::collections::{BTreeMap, BTreeSet};

use compiler::observation::Task;

use crate::read::memory::runs;

/// Vanished is gone in this many whole reads, if it is little.
const READS: u32 = 2;
/// So many whole reads that find the same are right.
const AGREEING: u32 = 3;
/// Of all running tasks: more are not let go without evidence.
const SHARE: f64 = 0.15;
/// A group with more tasks than this does not vanish as a whole.
const GROUP: usize = 2;

/// What vanished so far, and what of it is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preserve {
    /// In how many whole reads in a row each was not there.
    vanished: BTreeMap<String, u32>,
    /// Those that are kept because they are many. A part of `vanished`.
    kept: BTreeSet<String>,
    /// Whole reads in a row that found the same to be vanished.
    agreeing: u32,
    reason: String,
    released: bool,
}

/// What becomes of the tasks that vanished.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Published as they were known: they vanished just now.
    pub waiting: BTreeSet<String>,
    /// Published as they were known, and marked.
    pub retained: BTreeSet<String>,
    pub gone: BTreeSet<String>,
}

impl Preserve {
    /// Judges one whole read: `known` are the tasks that were published before it, `vanished` those of them that were not
    /// found, and of which nobody said that they stopped.
    pub fn judge(&mut self, known: &BTreeMap<String, &Task>, vanished: &BTreeSet<String>) -> Verdict {
        let same = self.vanished.len() == vanished.len() && vanished.iter().all(|arn| self.vanished.contains_key(arn));
        self.agreeing = if same { self.agreeing + 1 } else { 1 };
        self.vanished = vanished.iter().map(|arn| (arn.clone(), self.vanished.get(arn).unwrap_or(&0) + 1)).collect();
        self.kept.retain(|arn| vanished.contains(arn));

        if !self.released && self.agreeing < AGREEING {
            self.keep_many(known);
        } else {
            self.kept.clear();
        }
        let everything = std::mem::take(&mut self.released) || self.agreeing >= AGREEING;
        let mut verdict = Verdict { retained: self.kept.clone(), ..Verdict::default() };
        for (arn, reads) in &self.vanished {
            match () {
                () if self.kept.contains(arn) => {}
                () if everything || *reads >= READS => drop(verdict.gone.insert(arn.clone())),
                () => drop(verdict.waiting.insert(arn.clone())),
            }
        }
        self.vanished.retain(|arn, _| !verdict.gone.contains(arn));
        if self.kept.is_empty() {
            self.reason.clear();
        }
        verdict
    }

    /// Somebody knows better: in the next whole read what vanished is gone.
    pub fn release(&mut self) {
        self.released = true;
    }

    /// It was about the read that failed just now, not about whatever vanishes later.
    pub fn hold(&mut self) {
        self.released = false;
    }

    pub fn is_released(&self) -> bool {
        self.released
    }

    /// Why tasks are kept; `None` if none is.
    pub fn reason(&self) -> Option<&str> {
        (!self.kept.is_empty()).then_some(self.reason.as_str())
    }

    fn keep_many(&mut self, known: &BTreeMap<String, &Task>) {
        let running: Vec<&Task> = known.values().copied().filter(|task| runs(task)).collect();
        let is_lost = |task: &&Task| self.vanished.contains_key(&task.arn);
        let lost: Vec<&Task> = running.iter().copied().filter(is_lost).collect();
        if exceeds(lost.len(), running.len()) {
            self.kept.extend(lost.iter().map(|task| task.arn.clone()));
            self.reason = format!(
                "{} of {} running tasks vanished, and ECS does not say that they stopped",
                lost.len(),
                running.len()
            );
            return;
        }
        let mut groups: BTreeMap<&str, Vec<&Task>> = BTreeMap::new();
        for task in &running {
            groups.entry(group(task)).or_default().push(task);
        }
        for (group, tasks) in groups {
            if tasks.len() > GROUP && tasks.iter().all(is_lost) {
                self.kept.extend(tasks.iter().map(|task| task.arn.clone()));
                self.reason =
                    format!("all {} tasks of `{group}` vanished, and ECS does not say that they stopped", tasks.len());
            }
        }
    }
}

/// The ECS service; without one, the family.
fn group(task: &Task) -> &str {
    let definition = compiler::observation::last(&task.task_definition);
    task.service().unwrap_or_else(|| definition.rsplit_once(':').map_or(definition, |(family, _)| family))
}

fn exceeds(lost: usize, running: usize) -> bool {
    // Tasks are counted in thousands.
    let count = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    count(lost) > SHARE * count(running)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use compiler::observation::Task;

    use super::{Preserve, Verdict};

    /// So many running tasks of each service.
    fn tasks(services: &[(&str, usize)]) -> BTreeMap<String, Task> {
        let one = |service: &str, number: usize| Task {
            arn: format!("{service}-{number:03}"),
            group: format!("service:{service}"),
            last_status: "RUNNING".to_owned(),
            desired_status: "RUNNING".to_owned(),
            ..Task::default()
        };
        let all = services.iter().flat_map(|(service, count)| (0..*count).map(|number| one(service, number)));
        all.map(|task| (task.arn.clone(), task)).collect()
    }

    fn judge(preserve: &mut Preserve, known: &BTreeMap<String, Task>, vanished: &BTreeSet<String>) -> Verdict {
        let known: BTreeMap<String, &Task> = known.iter().map(|(arn, task)| (arn.clone(), task)).collect();
        preserve.judge(&known, vanished)
    }

    fn first(known: &BTreeMap<String, Task>, count: usize) -> BTreeSet<String> {
        known.keys().take(count).cloned().collect()
    }

    #[test]
    fn few_are_gone_in_the_second_read_that_says_so() {
        let (mut preserve, known) = (Preserve::default(), tasks(&[("a", 20)]));
        let lost = first(&known, 3);
        assert_eq!(judge(&mut preserve, &known, &lost).waiting, lost);
        assert_eq!(preserve.reason(), None);
        assert_eq!(judge(&mut preserve, &known, &lost).gone, lost);
    }

    #[test]
    fn many_are_kept_until_three_reads_agree() {
        let (mut preserve, known) = (Preserve::default(), tasks(&[("a", 20)]));
        let lost = first(&known, 4);
        assert_eq!(judge(&mut preserve, &known, &lost).retained, lost);
        assert!(preserve.reason().unwrap().starts_with("4 of 20 running tasks vanished"));
        assert_eq!(judge(&mut preserve, &known, &lost).retained, lost);
        assert_eq!(judge(&mut preserve, &known, &lost).gone, lost);
        assert_eq!(preserve, Preserve { agreeing: 3, ..Preserve::default() });
    }

    #[test]
    fn reads_that_do_not_agree_release_nothing() {
        let (mut preserve, known) = (Preserve::default(), tasks(&[("a", 20)]));
        for count in [10, 9, 10, 9, 10, 9, 10] {
            let verdict = judge(&mut preserve, &known, &first(&known, count));
            assert_eq!(verdict.retained.len(), count);
            assert!(verdict.gone.is_empty());
        }
    }

    #[test]
    fn a_whole_service_is_kept_though_it_is_little() {
        let (mut preserve, known) = (Preserve::default(), tasks(&[("a", 3), ("b", 97)]));
        assert_eq!(judge(&mut preserve, &known, &first(&known, 3)).retained.len(), 3);
        assert_eq!(preserve.reason(), Some("all 3 tasks of `a` vanished, and ECS does not say that they stopped"));
        let (mut preserve, known) = (Preserve::default(), tasks(&[("a", 2), ("b", 98)]));
        assert_eq!(judge(&mut preserve, &known, &first(&known, 2)).waiting.len(), 2);
    }

    #[test]
    fn what_returns_is_not_kept_any_more() {
        let (mut preserve, known) = (Preserve::default(), tasks(&[("a", 20)]));
        judge(&mut preserve, &known, &first(&known, 20));
        assert_eq!(judge(&mut preserve, &known, &BTreeSet::new()), Verdict::default());
        assert_eq!(preserve.reason(), None);
    }

    #[test]
    fn an_operator_releases_what_is_kept() {
        let (mut preserve, known) = (Preserve::default(), tasks(&[("a", 20)]));
        let lost = first(&known, 20);
        judge(&mut preserve, &known, &lost);
        preserve.release();
        assert_eq!(judge(&mut preserve, &known, &lost).gone, lost);
        assert_eq!(preserve.reason(), None);
    }

    #[test]
    fn after_a_release_the_next_loss_is_kept_again() {
        let (mut preserve, known) = (Preserve::default(), tasks(&[("a", 20)]));
        preserve.release();
        judge(&mut preserve, &known, &first(&known, 20));
        assert_eq!(judge(&mut preserve, &known, &first(&known, 20)).retained.len(), 20);
    }
}
